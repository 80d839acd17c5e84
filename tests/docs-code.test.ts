// Every code block of the documentation: compiled, parsed, or compared with what there is. A reader who copies one must not be the first to run it.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { assignedNames, type CommandWorld, judgeCommand } from './docs/command-lines.ts'
import { type FencedBlock, fencedBlocks, isDocumentation, saysItsKind } from './docs/fenced-blocks.ts'
import { shellCommands } from './docs/shell-commands.ts'
import { filePrograms, pagePrograms, placedErrors } from './docs/typed-blocks.ts'
import { configKeys } from './tidy/package-guards.ts'
import { sourceTree } from './tidy/source-tree.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const pages = sourceTree(root).filter(({ path }) => isDocumentation(path))
const blocksOf = new Map(pages.map((page) => [page.path, fencedBlocks(page)]))
const blocks = [...blocksOf.values()].flat()
const ofKind = (...kinds: string[]): FencedBlock[] => blocks.filter(({ info }) => kinds.includes(info))
const manifest: { readonly scripts: Readonly<Record<string, string>> } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const world: CommandWorld = { root, scripts: manifest.scripts }
const keys = new Set([...configKeys(readFileSync(join(root, 'packages/evergrant/src/config-keys.ts'), 'utf8'))])

test('the pages are there, and so are their blocks', () => {
  expect(blocksOf.size).toBeGreaterThan(150)
  expect(ofKind('sh').length).toBeGreaterThan(150)
  expect(ofKind('ts', 'tsx').length).toBeGreaterThan(20)
})

test('each block says what it is', () => expect(blocks.flatMap(saysItsKind)).toEqual([]))

test('JSON and YAML are JSON and YAML', () => {
  expect(ofKind('json').flatMap(({ path, line, text }) => complaintOf(() => JSON.parse(text), `${path}:${line}`))).toEqual([])
  expect(
    ofKind('yaml', 'yml').flatMap(({ path, line, text }) =>
      parseAllDocuments(text).flatMap(({ errors }) => errors.map((error) => `${path}:${line}: ${error.message}`)),
    ),
  ).toEqual([])
})

test('diagrams are of a kind that is drawn', () => {
  const strange = ofKind('mermaid').filter(({ text }) => !/^(sequenceDiagram|flowchart (TB|TD|LR)|stateDiagram-v2)\n/.test(text))
  expect(strange.map(({ path, line }) => `${path}:${line}`)).toEqual([])
})

test('each command exists, with its options and as many arguments', async () => {
  expect(await judgedCommands(ofKind('sh'))).toEqual([])
})

test('each variable of ours that a command sets is a configuration key', () => {
  expect(ofKind('sh').flatMap(strangeKeys)).toEqual([])
})

describe('TypeScript', () => {
  const scratch = join(root, '.tsbuild', `docs-${process.pid}`)
  afterAll(() => rmSync(scratch, { recursive: true, force: true }))

  test('every block compiles against the packages as they are published', { timeout: 120_000 }, () => {
    const programs = [...blocksOf].flatMap(([path, found]) => [...pagePrograms(path, found), ...filePrograms(root, found)])
    expect(programs.map(({ name }) => name)).toContain('acme.ts')
    expect(programs.length).toBeGreaterThan(10)
    const canary = pagePrograms('canary.md', [
      { path: 'canary.md', line: 7, info: 'ts', text: "import { Evergrant } from '@evergrant/sdk/node'\nawait Evergrant.conect()" },
    ])
    const complaints = compile(scratch, [...programs, ...canary])
    expect(complaints.filter((line) => line.startsWith('canary.md:8'))).toHaveLength(1)
    expect(complaints.filter((line) => !line.startsWith('canary.md'))).toEqual([])
  })
})

describe('canaries: each of these must be found', () => {
  const block = (text: string, info = 'sh'): FencedBlock => ({ path: 'page.md', line: 1, info, text })

  test.each([
    ['npm run nothing-like-it', "no script 'nothing-like-it'"],
    ['npm run simulate -- --sedes 10', 'no option --sedes'],
    ['npm run simulate --seeds 10', 'needs `--`'],
    ['npm run evergrant -- conections list', "no command 'conections'"],
    ['evergrant connections list --statuz needs_reauth', 'no option --statuz'],
    ['evergrant users disable', 'needs 1 argument'],
    ['evergrant doctor now', 'takes 0 argument'],
    ['echo x | evergrant api-keys make', "no command 'make'"],
    ['KEY=$(evergrant api-keys make)', "no command 'make'"],
    ['npx @evergrant/sdk enrol <code>', "no command 'enrol'"],
    ['npx @evergrant/sdk whoami --ofline', 'no option --ofline'],
    ['node packages/nowhere.ts', 'no file packages/nowhere.ts'],
    ['evergant doctor', "nobody knows the program 'evergant'"],
  ])('%s', async (line, complaint) => {
    expect(await judgedCommands([block(line)])).toEqual([expect.stringContaining(complaint)])
  })

  test('a key that nobody reads, a block that says nothing, JSON with a comma too many', () => {
    expect(strangeKeys(block('EVERGRANT_PROT=4500 npm start'))).toHaveLength(1)
    expect(strangeKeys(block('export EVERGRANT_HOSTS=x'))).toHaveLength(1)
    expect(saysItsKind(block('x', ''))).toHaveLength(1)
    expect(saysItsKind(block('x', 'bash'))).toHaveLength(1)
    expect(complaintOf(() => JSON.parse('[1,]'), 'page.md:1')).toHaveLength(1)
    expect(fencedBlocks({ path: 'page.md', text: 'a\n```sh\nls\n' }).flatMap(saysItsKind)).toEqual([expect.stringContaining('never ends')])
  })

  test('shell texts are taken apart as a shell would', () => {
    const words = (text: string): (readonly string[])[] => shellCommands(text).map((command) => command.words)
    expect(words(`a "b c" 'd\ne' \\\n  f # g\nh | i && j; k > l 2>&1`)).toEqual([['a', 'b c', 'd\ne', 'f'], ['h'], ['i'], ['j'], ['k']])
    expect(words('for x in $(list it); do show <the id>; done')).toEqual([
      ['list', 'it'],
      ['show', '<the-id>'],
    ])
    expect(words("cat > file <<'EOF'\nnot a command\nEOF\nnext")).toEqual([['cat'], ['next']])
    expect(shellCommands('a\n\nb "$(c\nd)"').map(({ line }) => line)).toEqual([0, 2, 3, 2])
  })
})

function complaintOf(work: () => unknown, place: string): string[] {
  try {
    work()
    return []
  } catch (error) {
    return [`${place}: ${String(error)}`]
  }
}

async function judgedCommands(given: readonly FencedBlock[]): Promise<string[]> {
  const functions = new Set(given.flatMap(({ path, text }) => [...text.matchAll(/^(\w+)\(\) *\{/gm)].map((match) => `${path} ${match[1]}`)))
  const judged = await Promise.all(
    given.flatMap(({ path, line, text }) =>
      shellCommands(text)
        .filter(({ words }) => !functions.has(`${path} ${words[0]}`))
        .map(async (command) => (await judgeCommand(command.words, world)).map((complaint) => `${path}:${line + command.line}: ${complaint}`)),
    ),
  )
  return judged.flat()
}

/** Read by the SDK, by tests of pages, or by people's own scripts; not by the server. */
const OTHER_KEYS = new Set([
  'EVERGRANT_URL',
  'EVERGRANT_HOME',
  'EVERGRANT_PROFILE',
  'EVERGRANT_ENROLMENT_CODE',
  'EVERGRANT_PROJECT_FILE',
  'EVERGRANT_WEBHOOK_SECRET',
])

function strangeKeys({ path, line, text }: FencedBlock): string[] {
  return shellCommands(text)
    .flatMap(({ words }) => assignedNames(words))
    .filter((name) => name.startsWith('EVERGRANT_') && !OTHER_KEYS.has(name) && !keys.has(name.replace(/_FILE$/, '')))
    .map((name) => `${path}:${line}: nobody reads ${name}`)
}

/** Writes the programs beside the sources and asks the compiler. The packages are read as they are published: from the types in `dist`. */
function compile(scratch: string, programs: readonly { name: string; text: string; path: string; lines: readonly (number | null)[] }[]): string[] {
  const tsc = join(root, 'node_modules/.bin/tsc')
  if (!existsSync(join(root, 'packages/evergrant/dist/index.d.ts'))) spawnSync(tsc, ['-b'], { cwd: root })
  mkdirSync(scratch, { recursive: true })
  for (const { name, text } of programs) writeFileSync(join(scratch, name), text)
  cpSync(join(root, 'tests/docs/reader-world.d.ts'), join(scratch, 'reader-world.d.ts'))
  const options = {
    compilerOptions: {
      target: 'ES2023',
      module: 'NodeNext',
      moduleResolution: 'NodeNext',
      lib: ['ES2023', 'DOM', 'DOM.Iterable', 'ESNext.Disposable'],
      types: ['node'],
      jsx: 'react-jsx',
      strict: true,
      noEmit: true,
      allowImportingTsExtensions: true,
      skipLibCheck: true,
      exactOptionalPropertyTypes: true,
    },
    include: ['*'],
  }
  writeFileSync(join(scratch, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(scratch, 'tsconfig.json'), JSON.stringify(options))
  const { stdout } = spawnSync(tsc, ['-p', scratch, '--pretty', 'false'], { cwd: root, encoding: 'utf8' })
  return placedErrors(stdout, programs)
}
