/** One simple command of a shell text: its words without quotes, and the line that it begins at, counted from 0. */
interface ShellCommand {
  readonly words: readonly string[]
  readonly line: number
}

const KEYWORDS = new Set(['do', 'then', 'else', 'if', 'while', 'until', '!', '{', 'time', 'exec', 'sudo'])
const ENDS = new Set(['done', 'fi', '}', 'esac'])

/**
 * The simple commands of a shell text, those in `$(...)` included. Knows quotes, comments, continued lines, pipes, redirections, here documents,
 * loops and functions: what documentation uses. `<words like this>` are places that the reader fills, never a redirection.
 */
export function shellCommands(text: string): ShellCommand[] {
  return new Reader(text).commands()
}

class Reader {
  readonly #text: string
  #at = 0
  #word: string | null = null
  #words: string[] = []
  #line = 0
  #lineOfWords = 0
  #found: ShellCommand[] = []
  #untilMarks: string[] = []

  constructor(text: string) {
    this.#text = text
  }

  commands(): ShellCommand[] {
    while (this.#at < this.#text.length) this.#step()
    this.#endCommand()
    return this.#found
  }

  #step(): void {
    const rest = this.#text.slice(this.#at)
    const char = rest[0] ?? ''
    const placeholder = /^<[a-z][^<>\n]*>/.exec(rest)?.[0]
    if (placeholder !== undefined) return this.#add(placeholder.replaceAll(' ', '-'), placeholder.length)
    if (rest.startsWith('\\\n')) return this.#skip(2, 1)
    if (char === '\\') return this.#add(rest[1] ?? '', 2)
    if (char === "'") return this.#singleQuoted(rest)
    if (char === '"') return this.#doubleQuoted()
    if (rest.startsWith('$(')) return this.#substitution()
    if (rest.startsWith('${')) return this.#add(rest.slice(0, rest.indexOf('}') + 1), rest.indexOf('}') + 1)
    if (char === '#' && this.#word === null) return this.#skip(/^[^\n]*/.exec(rest)?.[0].length ?? 1, 0)
    if (char === '\n') return this.#newLine()
    if (char === ' ' || char === '\t') {
      this.#endWord()
      return this.#skip(1, 0)
    }
    const redirection = /^(\d?>>?(&\d)?|&>|\d?<<?)[ \t]*/.exec(rest)?.[0]
    if (redirection !== undefined) return this.#redirection(redirection)
    if (rest.startsWith('()')) return this.#add('()', 2)
    if (/[|&;()]/.test(char)) {
      this.#endCommand()
      return this.#skip(1, 0)
    }
    this.#add(char, 1)
  }

  #add(text: string, length: number): void {
    if (this.#words.length === 0 && this.#word === null) this.#lineOfWords = this.#line
    this.#word = (this.#word ?? '') + text
    this.#line += this.#text.slice(this.#at, this.#at + length).split('\n').length - 1
    this.#at += length
  }

  #skip(length: number, lines: number): void {
    this.#at += length
    this.#line += lines
  }

  #singleQuoted(rest: string): void {
    const end = rest.indexOf("'", 1)
    this.#add(rest.slice(1, end), 0)
    const length = end < 0 ? rest.length : end + 1
    this.#skip(length, rest.slice(0, length).split('\n').length - 1)
  }

  #doubleQuoted(): void {
    this.#add('', 1)
    while (this.#at < this.#text.length && this.#text[this.#at] !== '"') {
      if (this.#text.startsWith('$(', this.#at)) this.#substitution()
      else if (this.#text[this.#at] === '\\') this.#add(this.#text[this.#at + 1] ?? '', 2)
      else this.#add(this.#text[this.#at] ?? '', 1)
    }
    this.#skip(1, 0)
  }

  /** What it runs is judged like everything else; its value is not known here. */
  #substitution(): void {
    let depth = 0
    let end = this.#at + 1
    do {
      if (this.#text[end] === '(') depth += 1
      if (this.#text[end] === ')') depth -= 1
      end += 1
    } while (depth > 0 && end < this.#text.length)
    const inner = this.#text.slice(this.#at + 2, end - 1)
    this.#found.push(...shellCommands(inner).map(({ words, line }) => ({ words, line: line + this.#line })))
    this.#add('$(...)', 0)
    this.#skip(end - this.#at, inner.split('\n').length - 1)
  }

  #redirection(operator: string): void {
    // `2>` belongs to no word, `a1>` does not occur.
    this.#endWord()
    this.#skip(operator.length, 0)
    if (/&\d/.test(operator)) return
    const target = /^('[^']*'|"[^"]*"|[^\s;|&]+)/.exec(this.#text.slice(this.#at))?.[0] ?? ''
    this.#skip(target.length, 0)
    if (operator.includes('<<')) this.#untilMarks.push(target.replaceAll(/['"-]/g, ''))
  }

  #newLine(): void {
    this.#endCommand()
    this.#skip(1, 1)
    for (const mark of this.#untilMarks.splice(0)) {
      const end = new RegExp(`^${mark}$`, 'm').exec(this.#text.slice(this.#at))
      const length = end === null ? this.#text.length - this.#at : end.index + mark.length
      this.#skip(length, this.#text.slice(this.#at, this.#at + length).split('\n').length - 1)
    }
  }

  #endWord(): void {
    if (this.#word !== null) this.#words.push(this.#word)
    this.#word = null
  }

  #endCommand(): void {
    this.#endWord()
    let words = this.#words
    this.#words = []
    while (words[0] !== undefined && (KEYWORDS.has(words[0]) || words[0].endsWith('()'))) words = words.slice(1)
    if (words[0] === undefined || ENDS.has(words[0]) || words[0] === 'for' || words[0] === 'case') return
    this.#found.push({ words, line: this.#lineOfWords })
  }
}
