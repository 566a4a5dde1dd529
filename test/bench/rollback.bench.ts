import { openServedStage } from '../engine/rolloutStage.ts';
import { median } from './median.ts';

/**
 * How long a person waits for a rollback while clients ask: from the decision until the engine says that it is done,
 * and until the first answer of the stable version that was asked for afterwards.
 */
const rounds = 20;
const clients = 4;

const stage = await openServedStage();
try {
  const { serving } = stage.engine();
  let going = true;
  let lost = 0;
  let answered = 0;
  const asking = Array.from({ length: clients }, async () => {
    while (going) {
      const { status } = await stage.ask();
      answered += 1;
      if (status !== 200) lost += 1;
    }
  });
  const decided: number[] = [];
  const answeredAgain: number[] = [];
  let late = 0;
  for (let round = 0; round < rounds; round += 1) {
    const plan = { strategy: 'canary' as const, steps: [{ share: 50, hold: '1h' }] };
    await serving.startRollout({ endpoint: 'wine', modelVersion: 2, plan, who: 'Ana' });
    const before = answered;
    while (answered < before + 50) await stage.ask();
    const began = performance.now();
    await serving.decideRollout({ endpoint: 'wine', decision: 'rollBack', who: 'Ana', why: '' });
    decided.push(performance.now() - began);
    const { bias } = await stage.ask();
    answeredAgain.push(performance.now() - began);
    if (bias !== 1) late += 1;
  }
  going = false;
  await Promise.all(asking);
  console.log(
    `rollback under ${clients} clients, ${rounds} times: ${answered} requests, ${lost} lost, ${late} late`,
  );
  console.log(
    `  decided           ${median(decided).toFixed(1)} ms, at most ${Math.max(...decided).toFixed(1)} ms`,
  );
  console.log(
    `  stable answers    ${median(answeredAgain).toFixed(1)} ms, at most ${Math.max(...answeredAgain).toFixed(1)} ms`,
  );
} finally {
  await stage.close();
}
