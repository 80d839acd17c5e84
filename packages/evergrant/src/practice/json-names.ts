const toSnake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
const toCamel = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

function rename(value: unknown, name: (text: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => rename(item, name))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [name(key), rename(item, name)]))
}

/** Field names as the control plane speaks them (`access_seconds`), at every depth. */
export function snakeCased(value: unknown): unknown {
  return rename(value, toSnake)
}

/** Field names as the code speaks them (`accessSeconds`), at every depth. */
export function camelCased(value: unknown): unknown {
  return rename(value, toCamel)
}
