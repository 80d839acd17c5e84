import { Component, type ContextType, type ReactNode } from 'react'
import type { EvergrantError } from '../evergrant-error.ts'
import type { Incident } from './incident.ts'
import { isEvergrantError } from './known-error.ts'
import { EvergrantContext } from './setting.ts'

interface Props {
  readonly children?: ReactNode
  /** What to show instead; the message with its next step by default. */
  readonly fallback?: ReactNode | ((failure: { readonly error: EvergrantError; readonly incident: Incident; readonly reset: () => void }) => ReactNode)
}

interface State {
  readonly error: EvergrantError | null
}

/**
 * Catches what Evergrant's client throws while rendering and offers the step that mends it; shows the children again once that happened. Other errors go
 * on to the next boundary.
 */
export class EvergrantErrorBoundary extends Component<Props, State> {
  static override contextType = EvergrantContext
  declare context: ContextType<typeof EvergrantContext>
  override state: State = { error: null }
  #stops: (() => void)[] = []

  static getDerivedStateFromError(error: unknown): State {
    if (!isEvergrantError(error)) throw error
    return { error }
  }

  override componentDidMount(): void {
    this.componentDidUpdate(this.props, { error: null })
  }

  override componentDidUpdate(_props: Props, before: State): void {
    if (before.error === this.state.error) return
    this.#stop()
    if (this.state.error !== null) this.#watch(this.state.error)
  }

  override componentWillUnmount(): void {
    this.#stop()
  }

  override render(): ReactNode {
    const { error } = this.state
    const { children, fallback } = this.props
    if (error === null || this.context === null) return children
    const { labels, places, messages } = this.context
    if (fallback !== undefined && typeof fallback !== 'function') return fallback
    if (!messages) return messages === null && <p role="alert">{error.message}</p>
    const incident = messages.errorIncident(error, { labels, now: Date.now(), places })
    return fallback?.({ error, incident, reset: this.#reset }) ?? <messages.Notice incident={incident} link={error.reconnectUrl} alert />
  }

  readonly #reset = (): void => this.setState({ error: null })

  #watch({ action }: EvergrantError): void {
    const { client } = this.context ?? {}
    if (client === undefined) return
    this.#stops = (['recovered', 'refreshed', 'signed_in'] as const).map((name) => client.on(name, this.#reset))
    if (action !== 'reconnect') return
    const before = client.connections.known()
    this.#stops.push(client.connections.watchAll((now) => now === before || this.#reset()))
  }

  #stop(): void {
    for (const stop of this.#stops.splice(0)) stop()
  }
}
