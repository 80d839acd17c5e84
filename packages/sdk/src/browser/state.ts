import type { Core } from './core.ts'
import type { EventName, EvergrantEvents, EvergrantState } from './snapshot.ts'

/** Gives the way to stop. Under the empty name: every change of the state. */
export function on<Name extends EventName>(core: Core, name: Name | '', handler: (detail: EvergrantEvents[Name]) => void): () => void {
  const entry = { name, handler }
  core.handlers.add(entry)
  return () => core.handlers.delete(entry)
}

/** Handlers run on a microtask of their own: the state is settled by then, and the failure of one reaches no other. */
export function emit<Name extends EventName>(core: Core, name: Name | '', detail?: EvergrantEvents[Name]): void {
  for (const entry of core.handlers) {
    if (entry.name !== name) continue
    Promise.resolve()
      .then(() => core.handlers.has(entry) && entry.handler(detail as never))
      .catch(console.error)
  }
}

export function change(core: Core, changes: Partial<EvergrantState>): void {
  core.state = { ...core.state, ...changes }
  emit(core, '')
}
