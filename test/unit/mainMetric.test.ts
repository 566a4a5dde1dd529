import assert from 'node:assert/strict';
import { guessHigherIsBetter, guessMainMetric } from '../../src/engine/tracking/mainMetric.ts';

describe('The guess of an experiment’s main metric', () => {
  it('takes the last metric that suggests a score on held-out data', () => {
    const cases: readonly (readonly [readonly string[], string | null])[] = [
      [[], null],
      [['system/cpu_utilization_percentage'], null],
      [['step_count'], 'step_count'],
      [['train_loss', 'val_loss', 'val_accuracy', 'epoch'], 'val_accuracy'],
      [['val_accuracy', 'val_loss', 'train_loss', 'system/gpu_0_memory'], 'val_loss'],
      [['training_f1_score', 'training_roc_auc'], 'training_roc_auc'],
      [['training_f1_score', 'LinearRegression_score_X_test', 'other'], 'LinearRegression_score_X_test'],
      [['rmse', 'n_rows', 'train_rmse'], 'rmse'],
      [['n_rows', 'validation-0/mae', 'n_columns'], 'validation-0/mae'],
      [['testAccuracy', 'latest'], 'testAccuracy'],
      [['interval', 'contest'], 'contest'],
    ];
    for (const [keys, expected] of cases) {
      assert.equal(guessMainMetric(keys)?.key ?? null, expected, keys.join());
    }
  });

  it('knows that lower is better for losses and errors only', () => {
    for (const key of [
      'loss',
      'val_loss',
      'test/RMSE',
      'mae',
      'valMape',
      'log_loss',
      'mean_squared_error',
      'mse',
    ]) {
      assert.equal(guessHigherIsBetter(key), false, key);
    }
    for (const key of ['accuracy', 'val_f1', 'roc_auc', 'r2_score', 'closs_of_a_boat', 'reward']) {
      assert.equal(guessHigherIsBetter(key), true, key);
    }
  });
});
