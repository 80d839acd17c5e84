type Method = (...args: readonly unknown[]) => unknown

/** Told of every call of a part that is watched. */
interface CallWatch {
  /** Runs the call: it may put something around it, and must hand back what the call gives. */
  around<Value>(part: string, method: string, call: () => Promise<Value>): Promise<Value>
}

/**
 * The same parts, each method of which is measured from outside. A part is an object of asynchronous methods; what is not one is handed on as it is, and so
 * is a method that answers at once.
 */
export function watchParts<Parts extends object>(parts: Parts, names: readonly (keyof Parts & string)[], watch: CallWatch): Parts {
  const watched = names.map((name) => [name, watchPart(name, parts[name], watch)] as const)
  return { ...parts, ...Object.fromEntries(watched) }
}

function watchPart<Part>(name: string, part: Part, watch: CallWatch): Part {
  if (typeof part !== 'object' || part === null) return part
  const methods = Object.entries(part).map(([method, call]) => [
    method,
    typeof call === 'function' ? measured(name, method, call.bind(part) as Method, watch) : call,
  ])
  return Object.fromEntries(methods) as Part
}

/** Refused calls throw at once and are passed on; the measured thing is the promise. */
function measured(part: string, method: string, call: Method, watch: CallWatch): Method {
  return (...args) => watch.around(part, method, async () => call(...args))
}
