/** What the doors find the assembled gateway under. */
export const GATEWAY: unique symbol = Symbol('Gateway');
/** Text of `/metrics` and its media type. */
export const EXPOSITION: unique symbol = Symbol('Exposition');

export interface Exposition {
  readonly contentType: string;
  render(): Promise<string>;
}
