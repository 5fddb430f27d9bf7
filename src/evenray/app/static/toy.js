// Two classes of points in a plane, few of them sick, and a logistic regression that learns them under a remedy. Nothing is drawn here.
// Both classes are normal, so the true log odds are a quadratic function, which a regression on [1, x, y, xx, xy, yy] can express.

import { Random } from "./people.js";

export const REMEDIES = ["none", "weighted", "oversample", "balanced"];
export const BATCH = 32;
const HEALTHY = { mean: [-.35, -.25], spread: [1, 1], lean: .2 }, SICK = { mean: [1.65, 1.35], spread: [.55, .5], lean: -.3 };
const PACE = .12, LATER = 900; // the length of a step, and after how many it is halved
const TAIL = 8; // how fast the average of the weights forgets the first ones

export const sigmoid = z => 1 / (1 + Math.exp(-z));
export const logit = p => Math.log(p / (1 - p));
const features = (x, y) => [1, x, y, x * x - 1, x * y, y * y - 1];

function density({ mean, spread, lean }, x, y) {
  const u = (x - mean[0]) / spread[0], v = (y - mean[1]) / spread[1], rest = 1 - lean * lean;
  return -.5 * (u * u - 2 * lean * u * v + v * v) / rest - Math.log(spread[0] * spread[1] * Math.sqrt(rest));
}

/** The true log odds of sick at a place, for a share of sick. */
export const truth = (x, y, share) => logit(share) + density(SICK, x, y) - density(HEALTHY, x, y);

/** Points drawn at random: x and y, and t, 1 for sick. */
export function sample(healthy, sick, seed) {
  const random = new Random(seed), n = healthy + sick, found = { x: new Float64Array(n), y: new Float64Array(n), t: new Uint8Array(n) };
  for (let i = 0; i < n; i++) {
    const { mean, spread, lean } = i < healthy ? HEALTHY : SICK, a = random.gauss(), b = random.gauss();
    found.x[i] = mean[0] + spread[0] * a;
    found.y[i] = mean[1] + spread[1] * (lean * a + Math.sqrt(1 - lean * lean) * b);
    found.t[i] = i < healthy ? 0 : 1;
  }
  return found;
}

/** The slide's loss of a prediction y for a target t: -(alpha t log y + (1 - alpha)(1 - t) log(1 - y)). */
export const loss = (alpha, t, y) => -(alpha * t * Math.log(y) + (1 - alpha) * (1 - t) * Math.log(1 - y));

/** A logistic regression that learns in steps of one batch under a remedy. */
export class Learner {
  constructor(remedy, data, { alpha = .5, seed = 1 } = {}) {
    Object.assign(this, { remedy, data, random: new Random(seed), steps: 0, order: [], losses: [], batch: [] });
    const sick = data.t.reduce((sum, t) => sum + t, 0), healthy = data.t.length - sick;
    this.share = sick / data.t.length;
    const [heavy, light] = remedy === "weighted" ? [alpha, 1 - alpha] : [1, 1], mean = (heavy * sick + light * healthy) / data.t.length;
    this.weight = t => (t ? heavy : light) / mean; // the average case weighs one
    this.learnt = remedy === "none" ? this.share : remedy === "weighted" ? heavy * sick / (heavy * sick + light * healthy) : .5;
    this.own = new Float64Array(6);
    this.own[0] = logit(this.learnt);
    this.average = Float64Array.from(this.own);
    this.squares = new Float64Array(6).fill(1e-8);
    const all = Array.from(data.t, (_, i) => i);
    this.ill = all.filter(i => data.t[i]);
    this.well = all.filter(i => !data.t[i]);
    // Duplicates of the minority until both classes are alike in number.
    this.pool = remedy === "oversample" ? [...this.well, ...this.well.map((_, i) => this.ill[i % sick])] : all;
  }

  /** The indices of the next batch: the epoch shuffled, or half from each class. */
  draw() {
    if (this.remedy === "balanced") {
      return Array.from({ length: BATCH }, (_, i) => i % 2 ? this.ill[this.random.below(this.ill.length)] : this.well[this.random.below(this.well.length)]);
    }
    if (this.order.length < BATCH) this.order = this.random.shuffle([...this.pool]);
    return this.order.splice(-BATCH);
  }

  step() {
    const { x, y, t } = this.data, gradient = new Float64Array(6);
    let summed = 0;
    this.batch = this.draw();
    for (const i of this.batch) {
      const f = features(x[i], y[i]), p = sigmoid(dot(this.own, f)), w = this.weight(t[i]);
      summed += w * -Math.log(Math.max(t[i] ? p : 1 - p, 1e-12));
      for (let k = 0; k < 6; k++) gradient[k] += w * (p - t[i]) * f[k] / BATCH;
    }
    this.steps++;
    // RMSprop with a falling pace, and the average of the weights, in which the noise of the batches cancels out.
    const pace = PACE / (1 + this.steps / LATER), part = (TAIL + 1) / (TAIL + this.steps);
    for (let k = 0; k < 6; k++) {
      this.squares[k] += Math.max(1 / this.steps, .002) * (gradient[k] ** 2 - this.squares[k]);
      this.own[k] -= pace * gradient[k] / Math.sqrt(this.squares[k] + 1e-6);
      this.average[k] += Math.min(part, 1) * (this.own[k] - this.average[k]);
    }
    this.losses.push(summed / BATCH);
  }

  /** The log odds of sick at a place: as learnt, or with the class shares that the remedy bent put right. */
  logOdds(x, y, corrected = false) {
    return dot(this.average, features(x, y)) + (corrected ? logit(this.share) - logit(this.learnt) : 0);
  }

  /** Over the points of a sample: the mean probability, sensitivity and specificity at .5, and the mean log loss. */
  figures(sample, corrected = false) {
    let mean = 0, told = 0;
    const calls = { tp: 0, fn: 0, fp: 0, tn: 0 };
    for (let i = 0; i < sample.t.length; i++) {
      const p = sigmoid(this.logOdds(sample.x[i], sample.y[i], corrected)), t = sample.t[i];
      mean += p / sample.t.length;
      told -= Math.log(Math.max(t ? p : 1 - p, 1e-12)) / sample.t.length;
      calls[p >= .5 ? (t ? "tp" : "fp") : t ? "fn" : "tn"]++;
    }
    return { mean, logLoss: told, sensitivity: calls.tp / (calls.tp + calls.fn), specificity: calls.tn / (calls.tn + calls.fp) };
  }
}

/** The mean over the points of a sample of the largest difference between the probabilities of learners. */
export function disagreement(learners, sample, corrected) {
  let sum = 0;
  for (let i = 0; i < sample.t.length; i++) {
    const told = learners.map(one => sigmoid(one.logOdds(sample.x[i], sample.y[i], corrected)));
    sum += Math.max(...told) - Math.min(...told);
  }
  return sum / sample.t.length;
}

const dot = (w, f) => w[0] * f[0] + w[1] * f[1] + w[2] * f[2] + w[3] * f[3] + w[4] * f[4] + w[5] * f[5];
