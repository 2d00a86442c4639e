import type { Bus, Settlement } from '@cairn/ports';
import { askWithMutant } from './ask-with-mutant.js';
import type { Life } from './life.js';

/** The world's bus as one life of a process sees it. Bindings of a dead process are abandoned: its messages come again. */
export function busOf(life: Life): Bus {
  const { world } = life;
  return {
    publish: async (message) => {
      await life.hop();
      await life.crashPoint(`before publishing ${message.subject}`);
      await world.bus.publish(message);
      world.published.add(message.id);
      life.note(`publish ${message.subject} ${message.id}`);
      await life.crashPoint(`after publishing ${message.subject}`);
      await life.hop();
    },
    ask: async (asked, deadlineMs) => {
      const message = askWithMutant(world, asked);
      if (message === 'never sent') return { kind: 'nothing', because: 'duplicate' };
      await life.hop();
      await life.crashPoint(`before asking ${message.subject}`);
      life.note(`asks ${message.subject} ${message.id}`);
      const answer = await world.bus.ask(message, deadlineMs).then(
        (value) => ({ value }),
        (fault: unknown) => ({ fault }),
      );
      await life.hop();
      life.note(`hears of ${message.id}: ${'fault' in answer ? String(answer.fault) : JSON.stringify(answer.value)}`);
      if ('fault' in answer) throw answer.fault;
      return answer.value;
    },
    consume: async (spec, handle) => {
      const bound = await world.bus.consume(spec, (message) => {
        if (!life.alive) return new Promise<Settlement>(() => undefined);
        return new Promise((resolve, reject) =>
          life.clock.after(life.latency(), () => {
            life.note(`gets ${message.subject} ${message.id} (${message.deliveries})`);
            handle(message)
              .then(async (settlement) => {
                await life.crashPoint(`before settling ${message.subject}`);
                await life.hop();
                resolve(settlement);
              })
              .catch(reject);
          }),
        );
      });
      life.cut.push(() => bound.abandon());
      return bound;
    },
    close: async () => undefined, // The bus outlives the process.
  };
}
