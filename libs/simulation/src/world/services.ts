import {
  humanReviewCommands,
  humanReviewOnRunFacts,
  retryPolicyOnStepFailed,
  schedulingCommands,
  schedulingIntake,
  schedulingOnRunFacts,
} from '@cairn/contracts';
import { assembleExecution } from '@cairn/execution';
import { assembleHumanReview } from '@cairn/human-review';
import { assembleRetryPolicy } from '@cairn/retry-policy';
import { assembleScheduling } from '@cairn/scheduling';
import { heardWithMutant } from '../process/heard-with-mutant.js';
import { Process, type ServicePorts } from '../process/process.js';
import { DeskOf } from './desks.js';
import { NS } from './names.js';
import type { World } from './world.js';

/** The real services, each in a process that may die. */
export interface Services {
  readonly processes: readonly Process[];
  /** One for each replica of execution. */
  readonly desks: readonly DeskOf[];
  readonly retryPolicy: Process;
}

export function servicesOf(world: World): Services {
  const desks = Array.from({ length: world.swarm.replicas }, (_, i) => new DeskOf(world, i === 0 ? 'execution' : `execution-${i + 1}`));
  const mutants = new Set(world.options.mutant === undefined ? [] : [world.options.mutant]);
  const executions = desks.map(
    (desk) =>
      new Process(
        world,
        desk.replica,
        'crash of execution',
        async (ports) => {
          const execution = assembleExecution({ ...ports, mutants });
          await execution.start();
          desk.opened(execution.desk);
        },
        () => desk.closed(),
      ),
  );
  const scheduling = new Process(world, 'scheduling', 'crash of scheduling', async (ports: ServicePorts) => {
    const service = assembleScheduling({ ...ports, mutants });
    await service.start();
    await ports.bus.consume(schedulingIntake, (message) => service.takeEvent(message));
    await ports.bus.consume(schedulingCommands, (message) => service.takeCommand(message));
    await ports.bus.consume(schedulingOnRunFacts, () => service.onRunFact());
  });
  const retryPolicy = new Process(world, 'retry-policy', 'crash of retry-policy', async (ports: ServicePorts) => {
    const service = assembleRetryPolicy({ ...ports, config: { namespaces: [NS] } });
    await service.start();
    await ports.bus.consume(retryPolicyOnStepFailed, (message) => service.onStepFailed(message));
  });
  const humanReview = new Process(world, 'human-review', 'crash of human-review', async (ports: ServicePorts) => {
    const service = assembleHumanReview({ ...ports, mutants, bindBus: false });
    await service.start();
    await ports.bus.consume(humanReviewOnRunFacts, (message) => service.onRunFact(message));
    await ports.bus.consume(humanReviewCommands, (message) => service.takeCommand(heardWithMutant(world, message)));
  });
  return { processes: [...executions, scheduling, retryPolicy, humanReview], desks, retryPolicy };
}
