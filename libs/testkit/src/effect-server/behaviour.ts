/** How a target of effects behaves towards the next requests. `answer-lost`: it acts, and the connection ends without an answer. */
export const behaviours = ['ok', 'slow', '500', '429', 'hang', 'answer-lost'] as const;
export type Behaviour = (typeof behaviours)[number];

export interface Mood {
  readonly behaviour: Behaviour;
  /** Of `slow`: between the effect and its answer, in milliseconds. */
  readonly ms?: number;
  /** For so many requests, then `ok` again; without it until told otherwise. */
  readonly times?: number;
}
