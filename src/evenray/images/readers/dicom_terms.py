"""The terms that header text may become: coded values and known makers, so that names and free text stay behind."""

from __future__ import annotations

__all__ = ["MANUFACTURERS", "MODALITIES", "PHOTOMETRICS", "VIEWS"]

_MODALITIES = """
AR AU BI BMD CR CT CTPROTOCOL DG DMS DX ECG EEG EMG EOG EPS ES FA FID GM HC HD IO IOL IVOCT IVUS KER KO LEN LS MA MG MR
NM OAM OCT OP OPM OPR OPT OPTBSV OPTENF OPV OSS OT PA PLAN POS PR PT PX REG RESP RF RG RTDOSE RTIMAGE RTINTENT RTPLAN
RTRAD RTRECORD RTSEGANN RTSTRUCT RWV SC SEG SM SMR SR SRF STAIN TEXTUREMAP TG US VA XA XAPROTOCOL XC
"""  # PS3.3 C.7.3.1.1.1
_VIEWS = "AP PA LL RL RLD LLD RLO LLO ML MLO LM LMO CC FB SIO XCC XCCL XCCM ISO"  # PS3.3 C.8.1.1, C.8.11.7
_PHOTOMETRICS = """
MONOCHROME1 MONOCHROME2 RGB YBR_FULL YBR_FULL_422 YBR_ICT YBR_RCT YBR_PARTIAL_420 YBR_PARTIAL_422 HSV ARGB CMYK
"""

MODALITIES = frozenset(_MODALITIES.split())
VIEWS = frozenset(_VIEWS.split())
PHOTOMETRICS = frozenset([*_PHOTOMETRICS.split(), "PALETTE COLOR"])
MANUFACTURERS = {  # how a word of the attribute starts, in lower case (a regular expression) -> the name that is kept
    "agfa": "Agfa", "canon": "Canon", "carestream": "Carestream", "delft": "Delft", "esaote": "Esaote",
    "example plates": "Example Plates", "fuji": "Fujifilm", "ge(?![a-z])|gems|general electric": "GE",
    "hitachi": "Hitachi", "hologic|lorad": "Hologic", "kodak": "Kodak", "konica": "Konica Minolta", "lodox": "Lodox",
    "mindray": "Mindray", "neusoft": "Neusoft", "phantom works": "Phantom Works", "philips": "Philips",
    "picker": "Picker", "planmed": "Planmed", "samsung": "Samsung", "shimadzu": "Shimadzu", "siemens": "Siemens",
    "swissray": "Swissray", "toshiba": "Toshiba", "united imaging|uih": "United Imaging", "varian": "Varian",
    "vidar": "Vidar",
}  # fmt: skip
