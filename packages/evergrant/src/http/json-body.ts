/** Deeper than any request of ours; what recurses over a body (comparison, merging, rendering) stays far from the end of the stack. */
const DEEPEST = 64

/** The top-level field in which a JSON text is nested deeper than any request needs (empty when it is the text itself), or undefined. The text is valid JSON. */
export function tooDeepField(text: string): string | undefined {
  let depth = 0
  let field = ''
  for (let index = 0; index < text.length; index++) {
    const character = text[index]
    if (character === '"') {
      const end = endOfString(text, index)
      if (depth === 1) field = text.slice(index + 1, end)
      index = end
    } else if (character === '{' || character === '[') depth++
    else if (character === '}' || character === ']') depth--
    if (depth > DEEPEST) return field
  }
  return undefined
}

const NUMBER = /[-0-9.eE+]+/y

/**
 * The first number of a JSON text that `JSON.parse` does not keep: beyond every number, or whole and of more digits than a double has. An id that is
 * stored as another one is found by nobody. The text is valid JSON.
 */
export function roundedNumber(text: string): string | undefined {
  if (!/[0-9]{16}|[0-9][eE]/.test(text)) return undefined
  for (let index = 0; index < text.length; index++) {
    const character = text[index] ?? ''
    if (character === '"') index = endOfString(text, index)
    else if (character === '-' || (character >= '0' && character <= '9')) {
      NUMBER.lastIndex = index
      const number = NUMBER.exec(text)?.[0] ?? character
      if (isRounded(number)) return number
      index += number.length - 1
    }
  }
  return undefined
}

/** What JavaScript itself wrote is read back as it was, however many digits it has. */
function isRounded(number: string): boolean {
  const value = Number(number)
  if (!Number.isFinite(value)) return true
  return !Number.isSafeInteger(value) && /^-?[0-9]+$/.test(number) && String(value) !== number && BigInt(number) !== BigInt(value)
}

/**
 * The first object key that appears twice in one object of a JSON text, or undefined. `JSON.parse` keeps the last one
 * silently, and two readers of one request must not see two meanings. The text is valid JSON.
 */
export function duplicateKey(text: string): string | undefined {
  const open: (Set<string> | null)[] = []
  let expectKey = false
  for (let index = 0; index < text.length; index++) {
    const character = text[index]
    if (character === '"') {
      const end = endOfString(text, index)
      const keys = open.at(-1)
      if (expectKey && keys) {
        const key: unknown = JSON.parse(text.slice(index, end + 1))
        if (typeof key === 'string') {
          if (keys.has(key)) return key
          keys.add(key)
        }
      }
      expectKey = false
      index = end
    } else if (character === '{') {
      open.push(new Set())
      expectKey = true
    } else if (character === '[') {
      open.push(null)
      expectKey = false
    } else if (character === '}' || character === ']') {
      open.pop()
    } else if (character === ',') {
      expectKey = open.at(-1) !== null
    }
  }
  return undefined
}

function endOfString(text: string, start: number): number {
  let index = start + 1
  while (index < text.length && text[index] !== '"') index += text[index] === '\\' ? 2 : 1
  return index
}
