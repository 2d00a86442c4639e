// Rows of the fault matrix that cannot run on the stack as it is, each with what it would take.
import { it } from '@jest/globals';
import { notRun } from '@cairn/testkit';

it('F-16, F-17: a cluster of three nats-servers', () =>
  notRun('chaos: F-16, F-17', 'bus streams are made with one replica; needs a number of replicas in busStreams and in `cairn bus apply`'));
