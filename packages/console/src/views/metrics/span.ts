/** Two instants, ISO 8601 in UTC. */
export interface Span {
  readonly from: string
  readonly to: string
}
