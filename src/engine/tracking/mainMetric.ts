import { systemMetricPrefix } from '../../protocol/systemMetrics.ts';
import type { MainMetric } from '../../protocol/tracking.ts';

const heldOutWords = words('val valid validation test testing eval evaluation holdout dev cv oof');
const trainingWords = words('train training trn');
const errorWords = words(
  'loss error err rmse mae mape smape mse msle rmsle medae logloss perplexity ppl wer cer mer brier deviance bce nll crossentropy entropy hinge residual fpr fnr duration time latency seconds',
);
const scoreWords = words(
  'f1 fbeta auc roc prc auroc auprc aucpr accuracy acc precision recall r2 score map ap bleu rouge meteor ndcg mrr mcc kappa iou dice jaccard sensitivity specificity ks gini lift psnr ssim correlation pearson spearman explained',
);

/**
 * Guesses by which metric the runs of an experiment are judged: the last of `keys` (in the order in which they were
 * logged) whose name suggests a score on held-out data; else the last score; else the last metric that does not say
 * that it is of the training data; else the last one. Hardware metrics (`system/...`) never count. Null: there is none.
 */
export function guessMainMetric(keys: readonly string[]): MainMetric | null {
  let best: string | null = null;
  let bestRank = -1;
  for (const key of keys) {
    const rank = rankOf(key);
    if (rank < 0 || rank < bestRank) continue;
    best = key;
    bestRank = rank;
  }
  return best === null ? null : { key: best, higherIsBetter: guessHigherIsBetter(best) };
}

/** Whether a higher value of a metric is better, judged by its name: not for losses, errors and durations. */
export function guessHigherIsBetter(key: string): boolean {
  return !partsOf(key).some((part) => errorWords.has(part));
}

function rankOf(key: string): number {
  if (key.startsWith(systemMetricPrefix)) return -1;
  const parts = partsOf(key);
  const says = (known: ReadonlySet<string>) => parts.some((part) => known.has(part));
  if (says(trainingWords)) return 0;
  const isScore = says(scoreWords) || says(errorWords);
  if (says(heldOutWords)) return isScore ? 4 : 3;
  return isScore ? 2 : 1;
}

/** The words of a key, split at punctuation and where camelCase changes, in lower case. */
function partsOf(key: string): readonly string[] {
  return key
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((part) => part !== '');
}

function words(list: string): ReadonlySet<string> {
  return new Set(list.split(' '));
}
