import type { InstalledPackage, RunProvenance } from '../../src/protocol/provenance.ts';

/** What is known of a run that was started in a terminal of the editor. */
export const madeInTerminal: RunProvenance = {
  program: {
    kind: 'script',
    entryPoint: '/home/ana/churn/train.py',
    command: ['python', 'train.py', '--data', 'data/churn train.csv', '--epochs=80', '--api-key', '***'],
    folder: '/home/ana/churn',
    pythonVersion: '3.13.2',
    pythonImplementation: 'CPython',
    pythonExecutable: '/home/ana/churn/.venv/bin/python',
  },
  code: {
    root: '/home/ana/churn',
    commit: '9f2c1d7ab3e5f60718293a4b5c6d7e8f90a1b2c3',
    branch: 'wider-layers',
    repository: 'https://git.example.com/growth/churn.git',
    changedFiles: ['train.py', 'conf/model.yaml', 'notes.txt'],
    changedFileCount: 3,
    hasChanges: true,
  },
  machine: {
    operatingSystem: 'Linux 6.12.9 x64',
    processor: 'AMD Ryzen 9 7950X 16-Core Processor',
    coreCount: 32,
    memory: 67_430_000_000,
    graphicsProcessors: [
      { name: 'NVIDIA GeForce RTX 4090', memory: 24_564 * 1024 * 1024, driver: '570.86.15' },
    ],
  },
  packageCount: 12,
  files: [
    {
      path: '/home/ana/churn/data/churn train.csv',
      origin: 'argument',
      size: 48_210_113,
      fileCount: null,
      isTooLarge: false,
      digest: '492d5ea496056f1a6a6592241032fab764c321596317930b4fa0e1e8bc3b7470',
    },
    {
      path: '/mnt/lake/history.parquet',
      origin: 'dataset',
      size: 48_210_113_000,
      fileCount: null,
      digest: null,
      isTooLarge: true,
    },
  ],
};

/** What is known of a run that came from elsewhere. */
export const madeElsewhere: RunProvenance = {
  program: null,
  code: null,
  machine: null,
  packageCount: 0,
  files: [],
};

export const installedPackages: readonly InstalledPackage[] = Object.entries({
  cloudpickle: '3.1.1',
  joblib: '1.5.2',
  mlflow: '3.17.2',
  narwhals: '2.11.0',
  numpy: '2.3.4',
  onnx: '1.23.2',
  pandas: '3.1.1',
  pyarrow: '25.0.1',
  'scikit-learn': '1.9.1',
  scipy: '1.17.1',
  skl2onnx: '1.20.0',
  threadpoolctl: '3.6.0',
}).map(([name, version]) => ({ name, version }));
