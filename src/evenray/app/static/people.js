// A population in which few are sick, and a test that gives everybody a score: who is called sick from a threshold on.

/** Random numbers that are the same every time: mulberry32, and Gaussian ones (Box and Muller). */
export class Random {
  constructor(seed) { this.state = seed >>> 0; }
  next() {
    let t = this.state += 0x6d2b79f5;
    t = Math.imul(t ^ t >>> 15, t | 1);
    t ^= t + Math.imul(t ^ t >>> 7, t | 61);
    return ((t ^ t >>> 14) >>> 0) / 4294967296;
  }
  gauss() { return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next()); }
  below(n) { return Math.floor(this.next() * n); }
  shuffle(list) {
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [list[i], list[j]] = [list[j], list[i]];
    }
    return list;
  }
}

/** The quantile of the normal distribution (Acklam's rational approximation, error below 1.2e-9). */
export function quantile(p) {
  const a = [-39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716, 2.506628277459239];
  const b = [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572];
  const c = [-.007784894002430293, -.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968, 2.938163982698783];
  const d = [.007784695709041462, .3224671290700398, 2.445134137142996, 3.754408661907416];
  if (p > .5) return -quantile(1 - p);
  if (p < .02425) {
    const q = Math.sqrt(-2 * Math.log(p));
    return (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5]) / ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1);
  }
  const q = p - .5, r = q * q;
  return (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * q / (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
}

/** How far the means of two normal distributions are apart, in standard deviations, for an AUROC between them. */
export const apart = auroc => Math.SQRT2 * quantile(auroc);

/** `people` persons of whom `sick` are sick: their scores (healthy N(0, 1), sick N(apart, 1)) and whether they are sick.
 * A person's own luck stays the same, so that moving a slider moves few. */
export function population(people, sick, auroc, seed = 15) {
  const random = new Random(seed), distance = apart(auroc);
  const order = new Random(seed + 1).shuffle(Array.from({ length: people }, (_, i) => i));
  const ill = new Uint8Array(people);
  for (const i of order.slice(0, sick)) ill[i] = 1;
  return { ill, score: Float64Array.from(ill, one => random.gauss() + one * distance) };
}

/** Who is called what: { tp, fn, fp, tn }; sick from the threshold on. */
export function calls({ ill, score }, threshold) {
  const found = { tp: 0, fn: 0, fp: 0, tn: 0 };
  for (let i = 0; i < ill.length; i++) found[score[i] >= threshold ? (ill[i] ? "tp" : "fp") : ill[i] ? "fn" : "tn"]++;
  return found;
}

/** Rates of calls; NaN where there is nobody to count. */
export const rates = ({ tp, fn, fp, tn }) => ({
  accuracy: (tp + tn) / (tp + fn + fp + tn), sensitivity: tp / (tp + fn), specificity: tn / (tn + fp), ppv: tp / (tp + fp),
});
