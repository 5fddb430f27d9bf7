"""What a column of a table can mean, and the words that people have for it."""

from __future__ import annotations

import re
import unicodedata

from .parts import part_of

__all__ = [
    "FLAGS",
    "KEYS",
    "MEANINGS",
    "PLACES",
    "age_like",
    "compact",
    "is_attribute",
    "is_torn",
    "known_values",
    "meaning_of",
    "parts_named",
    "says_nothing",
    "sexes_of",
    "weak_label",
]

# As --column names them. `path`, ... `patient` find images, from the most exact to the least.
KEYS = ("path", "sop", "series", "study", "accession", "patient")
MEANINGS = (*KEYS, "side", "label", "findings", "reader", "site", "sex", "age", "split", "fill", "ignore")

WORDS: dict[str, str] = {
    "path": "path file filename image imagepath filepath imagefilepath imagename imageid imagefile imagefilename imageindex"
    " img imgpath imgid imgname isicid idcode dicomid picture newnames"
    " dateiname datei bild bildname nomdufichier nomfichier fichier archivo nombrearchivo imagen"
    " bestand bestandsnaam foto photo imagem arquivo filnavn immagine ファイル名 ファイル 画像 文件名 图像"
    " 파일 파일명 파일이름 영상 영상명 영상파일 이미지 이미지명 이미지파일 경로 파일경로 영상경로 이미지경로",
    "sop": "sop sopuid sopinstanceuid instanceuid",
    "series": "series seriesid seriesuid seriesinstanceuid 시리즈",
    "study": "study studyid studyuid studyinstanceuid exam examid 검사",
    "accession": "accession accessionnumber accessionno accno accnum acc 검사번호 접수번호 판독번호",
    "patient": "patient patients pat pid pt ptid rid eid subject subjects subj person caseid participant mrn ipp nip nhc empi"
    " donor donorid animal animalid dogid catid mouseid npatient nopatient idpatient idpaciente idpaziente prontuário prontuario"
    " paciente paziente historiaclínica historiaclinica expediente 患者 患者id 患者番号 患者编号"
    " 차트번호 병록번호 환자 환자번호 환자id 환자식별자 등록번호 수진자 수진자번호 대상자 대상자번호 피험자 피험자번호",
    "side": "side laterality imagelaterality exameye eyeside imageside leftright leftorright breast leftorrightbreast eye 좌우 편측",
    "label": "label labels class classname target diagnosis finding findings findinglabel findinglabels y dx"
    " pathology classification disease outcome groundtruth benignmalignant"
    " befund diagnose doença doenca enfermedad maladie malattia"
    " diagnostic diagnóstico diagnostico diagnosi 診断 診断名 诊断 标签 ラベル"
    " 라벨 라벨 진단 진단명 진단결과 분류 정답 병명 소견 판독 판독결과 질환 질환명 결과 클래스",
    "reader": "reader readerid readername rad radid radiologist radiologistid rater raterid annotator annotatorid observer"
    " grader graderid"
    " 판독의 판독자 평가자",
    "site": "site siteid hospital hospitalid institution center centre scanner 병원 기관 센터 병원명 기관명",
    "sex": "sex gender male female ismale isfemale 남성 여성"
    " patientsex patientgender patientsexdicom geschlecht sexe sexo género genero geslacht kön sesso 性別 性别 성별",
    "age": "age leeftijd età patientage ageyears ageapprox ageatstudy ageinyears alter âge edad idade 年齢 年龄 나이 연령 만나이",
    "split": "split part set subset foldname partition 분할 데이터구분",
    "view": "view imageview viewposition viewpositiondicom projection appa frontallateral 촬영방향",
}  # fmt: skip
MEANING = {word: meaning for meaning, words in WORDS.items() for word in words.split()}
PERSON = r"(patient(en|s)?|paciente|paziente|pasient|pat|pt|subjects?|subj|sub|persons?|participants?)"
NUMBER = r"(ids?|no|nr|num|number|nummer|numero|número|index|idx|codes?|codigo|código|key|hash|uid|identifier)"
PATIENT = re.compile(rf"(anon|anonymous|deid|new|original)?({PERSON}{NUMBER}+|{NUMBER}{PERSON})")
# Labels where no column has one of the names above: these name a property, which may be another column's label.
WEAK = {
    "abnormality", "category", "severity", "grade", "grading", "stage", "level", "lesion", "lesiontype",
    "abnormalitytype", "type", "result", "status", "assessment", "birads", "cancer", "malignant", "malignancy",
    "tumor", "tumour", "disorder", "kl", "histology", "histologicaltype", "subtype", "조직형", "klgrade", "isup",
    "gleason", "dr", "score", "등급", "중증도", "병기", "병변", "이상소견",
}  # fmt: skip
LABEL_ENDS = (
    "label", "labels", "class", "diagnosis", "grade", "stage", "level", "birads", "severity", "malignancy", "진단", "등급",
)  # fmt: skip
DIAGNOSES = {"diagnosis", "pathology", "classification", "histology"}
OF_DIAGNOSES = {"age", "days", "date", "time", "method", "year", "source"}
GROUPS = {
    "lesionid", "case", "caseno", "casenum", "casenumber", "eyeid", "slide", "slideid", "nodule", "noduleid", "biopsyid",
    "biopsy", "video", "videoid", "videoname", "clipid", "wsi", "wsiid", "core", "coreid", "specimen", "specimenid", "tmacore",
    "병변번호", "증례", "증례번호", "fall", "fallnr", "fallnummer",
}  # fmt: skip
# What an image was taken with and when, and what a person is: few repeated values that are no label.
ATTRIBUTES = {
    "anatomsite", "anatomsitegeneral", "anatomsitespecial", "anatomicalsite", "anatomicsite", "bodysite", "location", "localization",
    "localisation",
    "visit", "session", "followup", "timepoint", "slice", "frame", "phase", "sequence", "fold", "folds", "kfold", "cvfold",
    "foldid", "kvp", "fps", "framerate", "weight", "weights", "sampleweight", "scoreweight", "plate", "well", "replicate", "batch",
    "operator", "stain", "staining", "resolution", "manufacturer", "vendor", "model", "device", "machine", "protocol", "modality",
    "collection", "seriesdescription", "studydescription", "protocolname", "imagetype", "finalimagetype", "sopclassname",
    "numberofimages", "numberofframes", "filesize", "fileformat", "imagewidth", "imageheight", "bodypart",
    "bodypartexamined", "orientation", "magnification", "race", "ethnicity", "smoking", "smoker", "initialexam",
    "year", "month", "장비", "촬영장비", "제조사", "방문", "차수", "부위", "촬영부위", "검사명",
}  # fmt: skip
# Columns that say where something lies in an image.
PLACES = {
    "x", "y", "w", "h", "row", "column", "col", "width", "height", "radius", "left", "top", "right", "bottom", "x1", "y1", "x2", "y2",
    "xmin", "ymin", "xmax", "ymax", "x0", "y0", "bbox",
}  # fmt: skip
FLAGS = {
    **dict.fromkeys((
        "1", "1.0", "1.", "1,0", "true", "t", "yes", "y", "present", "positive", "pos", "+", "o", "ja", "wahr", "oui", "vrai",
        "sí", "si", "verdadero", "sì", "vero", "sim", "verdadeiro", "예", "네", "유", "참", "양성", "있음", "はい", "有", "是",
        "陽性", "阳性"
    ), True),
    **dict.fromkeys((
        "0", "0.0", "0.", "0,0", "false", "f", "no", "n", "absent", "negative", "neg", "x", "nein", "nee", "falsch", "non",
        "faux", "falso", "não", "nao", "아니오", "아니요", "무", "거짓", "음성", "없음", "いいえ", "無", "无", "否", "陰性",
        "阴性"
    ), False),
    "-1": None, "-1.0": None,
}  # fmt: skip
VALUES: dict[str, str] = {
    "sex": "m f w h male female man woman männlich weiblich mann frau homme femme hombre mujer 男 女 男性 女性"
    " 남 여 남성 여성 남자 여자 o u unknown other",
    "side": "l r left right b both bilateral 좌 우 왼쪽 오른쪽 좌측 우측 양측",
    "view": "pa ap lat lateral frontal ll cc mlo ml lm xccl axial sagittal coronal 정면 측면",
}
# Words of names that count or weigh something, or say how a label was found rather than which it is.
ABOUT = re.compile(
    r"n \w+s|(num|nb|number|count) .+|.+ (counts?|weight|confidence|certainty|source|method|confirm(ed)?( type| by)?|confirmation)"
    r"|.+ [xyz]|([xyz] )?coord(inate)?s?( ?[xyz])?|[xyz] (start|end|pos)",
    re.IGNORECASE,
)
WORDS_OF = re.compile(r"(?<=[a-z])(?=[A-Z])|[\W_]+")
EMPTY = re.compile(r"(unnamed.*|column.?\d*|col.?\d*|var.?\d*|field.?\d*|x?\d*|[a-z]\d*|열\d*|_+)")


def compact(name: str) -> str:
    """A column's name without case, spaces and signs.

    >>> compact("Image Index"), compact("patient_id "), compact("Follow-up #"), compact("환자 번호")
    ('imageindex', 'patientid', 'followup', '환자번호')
    """
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name).casefold())


def is_torn(name: str) -> bool:
    """Whether a name is one of two that a comma within brackets made, as of NIH's `OriginalImagePixelSpacing[x,y]`.

    >>> is_torn("y]"), is_torn("y"), is_torn("size[mm]")
    (True, False, False)
    """
    return name.count("[") != name.count("]")


def meaning_of(name: str) -> str | None:
    """What a column's name says that it holds: one of MEANINGS, or "view"; None where it says nothing known.

    >>> meaning_of("Patient ID"), meaning_of("진단명"), meaning_of("isic_id"), meaning_of("lesion_id"), meaning_of("Follow-up #")
    ('patient', 'label', 'path', 'group', None)
    >>> meaning_of("Patient_index"), meaning_of("SUB_ID"), meaning_of("patient_overall"), meaning_of("Train_Val_Test")
    ('patient', 'patient', None, 'split')
    """
    plain = "" if is_torn(name) else compact(name)
    if found := MEANING.get(plain):
        return found
    if PATIENT.fullmatch(plain):
        return "patient"
    return "group" if plain in GROUPS else "split" if len(parts_named(name)) > 1 else None


def parts_named(name: str) -> list[str]:
    """The parts of a split that a column's name counts up, in its order; none where it says anything else.

    >>> parts_named("Train_Val_Test"), parts_named("train_test_split"), parts_named("is_train"), parts_named("test result")
    (['train', 'validation', 'test'], ['train', 'test'], ['train'], [])
    """
    words = [word.casefold() for word in WORDS_OF.split(name) if word]
    words = words[1:] if words[:1] in (["is"], ["in"]) else words
    words = words[:-1] if words[1:] and words[-1] in ("split", "set", "part") else words
    parts = [part_of(word) for word in words]
    return [] if None in parts else [part for part in parts if part]


def weak_label(name: str) -> bool:
    """Whether a name may be that of labels, where no column has a clearer one.

    >>> weak_label("Abnormality"), weak_label("DR grade"), weak_label("Background Tissue"), weak_label("Pathology / Follow up")
    (True, True, False, True)
    >>> weak_label("diagnosis_2"), weak_label("skin_condition_on_label_name"), weak_label("diagnosis_confirm_type")
    (True, True, False)
    """
    plain = re.sub(r"(?<=\D)\d$|(?<=.)name$", "", compact(name))
    if is_attribute(name):
        return False
    words = set(re.split(r"[\W_]+", name.casefold()))
    named = bool(words & DIAGNOSES) and not words & OF_DIAGNOSES
    return named or plain in WEAK or MEANING.get(plain) == "label" or plain.endswith(LABEL_ENDS)


def is_attribute(name: str) -> bool:
    """Whether a name is that of a property which is no label unless --column says so.

    >>> is_attribute("Follow-up #"), is_attribute("Manufacturer"), is_attribute("outcome")
    (True, True, False)
    >>> is_attribute("n_raters"), is_attribute("diagnosis_confirm_type"), is_attribute("nodule")
    (True, True, False)
    """
    spaced = " ".join(word for word in WORDS_OF.split(name) if word)
    return compact(name) in ATTRIBUTES or ABOUT.fullmatch(spaced) is not None


def says_nothing(name: str) -> bool:
    """Whether a name tells nothing of what stands below it.

    >>> says_nothing("Unnamed: 0"), says_nothing("c3"), says_nothing(""), says_nothing("width")
    (True, True, True, False)
    """
    return EMPTY.fullmatch(name.strip().casefold()) is not None


def known_values(values: list[str]) -> str | None:
    """The meaning that all values of a column name by themselves: sex, side or view.

    >>> known_values(["F", "M"]), known_values(["LEFT", "right"]), known_values(["PA", "AP"]), known_values(["a", "b"])
    ('sex', 'side', 'view', None)
    """
    plain = {value.strip().casefold() for value in values}
    telling = plain - {"o", "u", "unknown", "other"}
    return next((name for name, words in VALUES.items() if telling and plain <= set(words.split())), None)


def sexes_of(name: str, values: list[str]) -> dict[str, str]:
    """What yes and no mean in a column that is called after one sex; nothing where its values are no such words.

    >>> sexes_of("male", ["True", "False"]), sexes_of("is_female", ["0", "1"]), sexes_of("sex", ["0", "1"])
    ({'True': 'M', 'False': 'F'}, {'0': 'M', '1': 'F'}, {})
    """
    plain = compact(name).removeprefix("is")
    if plain not in ("male", "female", "남성", "여성") or not all(
        FLAGS.get(value.casefold()) is not None for value in values
    ):
        return {}
    yes, no = "MF" if plain in ("male", "남성") else "FM"
    return {value: yes if FLAGS[value.casefold()] else no for value in values}


def age_like(values: list[str]) -> bool:
    """Whether all values can be ages in years, months, weeks or days.

    >>> age_like(["45", "045Y", "45,5", "7 months"]), age_like(["411"]), age_like(["a"])
    (True, False, False)
    """
    from .ages import age_of

    return bool(values) and all(age_of(value) is not None for value in values)
