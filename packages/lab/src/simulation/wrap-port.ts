type Method = (...args: never[]) => Promise<unknown>

/** Every method of a port sent through `call`, except those given by hand. */
export function wrapPort<Port extends object>(
  port: Port,
  by: <Result>(what: string, apply: () => Promise<Result>) => Promise<Result>,
  byHand: Partial<Port>,
): Port {
  const wrapped: Record<string, unknown> = {}
  for (const [name, method] of Object.entries(port)) {
    if (typeof method === 'function') wrapped[name] = (...args: never[]) => by(name, () => (method as Method)(...args))
  }
  return Object.assign(wrapped, byHand) as Port
}
