/** Names of workflows that become labels; a user could fill the registry otherwise (B-52; `experience.md` §2.1). */
export const WORKFLOW_LABELS_MAX = 200;
/** What stands for every label value beyond a closed or bounded set. */
export const OTHER = 'other';

/** A workflow's name as a label: the first 200 that are seen, then `other`. */
export class WorkflowLabels {
  private readonly names = new Set<string>();

  of(workflow: string): string {
    if (this.names.has(workflow)) return workflow;
    if (this.names.size >= WORKFLOW_LABELS_MAX) return OTHER;
    this.names.add(workflow);
    return workflow;
  }

  all(): Iterable<string> {
    return this.names;
  }
}
