// Reads a Dockerfile and a .dockerignore, as far as ours use them, and says what is wrong with them.
import { globSync, readFileSync, statSync } from 'node:fs'
import { join, matchesGlob } from 'node:path'

/** @typedef {{ readonly name: string, readonly rest: string, readonly line: number }} Instruction */
/** @typedef {{ readonly name: string, readonly from: string, readonly steps: readonly Instruction[] }} Stage */

/** @returns {Instruction[]} with lines that were continued joined, and comments left out */
function instructionsOf(text) {
  const found = []
  let open = null
  for (const [index, line] of text.split('\n').entries()) {
    if (/^\s*(#|$)/.test(line)) continue
    const more = line.endsWith('\\')
    const piece = more ? line.slice(0, -1) : line
    if (open === null) {
      const [, name = '', rest = ''] = /^\s*(\w+)\s*(.*)$/.exec(piece) ?? []
      open = { name: name.toUpperCase(), rest, line: index + 1 }
    } else open = { ...open, rest: `${open.rest} ${piece.trim()}` }
    if (!more) {
      found.push({ ...open, rest: open.rest.trim() })
      open = null
    }
  }
  return found
}

/** @returns {{ readonly globals: ReadonlyMap<string, string>, readonly stages: readonly Stage[] }} */
export function readDockerfile(text) {
  const globals = new Map()
  const stages = []
  for (const instruction of instructionsOf(text)) {
    const [word = '', value = ''] = instruction.rest.split('=')
    if (instruction.name === 'FROM') {
      const [from = '', , name = String(stages.length)] = instruction.rest.split(/\s+/)
      stages.push({ name, from: from.replace(/\$\{(\w+)\}/, (_, key) => globals.get(key) ?? ''), steps: [] })
    } else if (stages.length === 0) globals.set(word, value)
    else stages.at(-1).steps.push(instruction)
  }
  return { globals, stages }
}

/** The words of an exec form; null for the shell form. */
export function execOf(rest) {
  try {
    const words = JSON.parse(rest)
    return Array.isArray(words) ? words : null
  } catch {
    return null
  }
}

export const healthOf = (rest) => execOf(rest.slice(rest.indexOf('CMD') + 3).trim())

/** What a reviewer would say. Empty when there is nothing to say. */
export function faultsOfDockerfile(text) {
  const { globals, stages } = readDockerfile(text)
  const last = stages.at(-1)
  if (last === undefined) return ['there is no stage']
  const faults = []
  const of = (name) => last.steps.filter((step) => step.name === name)
  const say = (condition, fault) => condition || faults.push(fault)
  say(stages.length > 1, 'what builds also runs: use a stage for each')
  for (const { from } of stages)
    say(/:[^/:@]*\d+\.\d+\.\d+/.test(from) || from.includes('@sha256:'), `base image ${from} has neither a full version nor a digest`)
  for (const step of stages.flatMap(({ steps }) => steps)) {
    say(step.name !== 'ADD', `line ${step.line}: ADD fetches and unpacks; use COPY`)
    if (['RUN', 'ENTRYPOINT', 'CMD'].includes(step.name)) say(execOf(step.rest) !== null, `line ${step.line}: ${step.name} needs a shell; write a list`)
    if (step.name === 'RUN' && /"npm", "install"/.test(step.rest)) faults.push(`line ${step.line}: npm install may change what is locked; use npm ci`)
    if (step.name === 'RUN' && /"npm", "ci"/.test(step.rest))
      say(step.rest.includes('--ignore-scripts'), `line ${step.line}: install scripts of packages run as root`)
    if (step.name === 'COPY') say(!/^(--\S+ )*\.\/? /.test(step.rest), `line ${step.line}: copies everything; name what is needed`)
    if (['ENV', 'ARG'].includes(step.name))
      say(!/(PASSWORD|SECRET|TOKEN|MASTER_KEYS|_KEY)\w*=/.test(step.rest), `line ${step.line}: a secret would stand in the image`)
  }
  const user = of('USER').at(-1)?.rest ?? 'root'
  say(/^[1-9]\d*:[1-9]\d*$/.test(user), `runs as ${user}; a number that is not root lets an orchestrator check it`)
  say(
    last.steps.findLastIndex(({ name }) => name === 'USER') > last.steps.findLastIndex(({ name }) => name === 'RUN'),
    'runs something after USER as that user',
  )
  const health = of('HEALTHCHECK').at(-1)
  say(health !== undefined && healthOf(health.rest) !== null, 'has no health check without a shell')
  say(health === undefined || !/curl|wget/.test(health.rest), 'its health check needs curl')
  say(
    of('STOPSIGNAL').some(({ rest }) => rest === 'SIGTERM'),
    'does not say how it is stopped',
  )
  say(of('VOLUME').length === 1 && execOf(of('VOLUME')[0].rest)?.length === 1, 'writes to more than one volume')
  say(of('ENTRYPOINT').length === 1, 'has no entry point')
  for (const label of ['title', 'licenses', 'version', 'revision'])
    say(
      of('LABEL').some(({ rest }) => rest.includes(`org.opencontainers.image.${label}=`)),
      `has no label ${label}`,
    )
  say(
    [...globals.keys()].some((name) => /_IMAGE$/.test(name)),
    'its base image cannot be named by digest from outside',
  )
  return faults
}

/** Patterns of a .dockerignore: the last that matches a path, or a folder above it, decides. */
export function ignoreRules(text) {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ keep: line.startsWith('!'), pattern: line.replace(/^!?\/?/, '').replace(/\/$/, '') }))
}

const matched = new Map()

/** Remembered: the folders of a tree are asked about once for each file in them. */
function matches(part, pattern) {
  const key = `${pattern}\n${part}`
  if (!matched.has(key)) matched.set(key, matchesGlob(part, pattern))
  return matched.get(key)
}

export function isSent(path, rules) {
  const above = path.split('/').map((_, index, parts) => parts.slice(0, index + 1).join('/'))
  let sent = true
  for (const { keep, pattern } of rules) if (above.some((part) => matches(part, pattern))) sent = keep
  return sent
}

/** Every file that a builder gets, relative to `root`. Only below what a rule lets through by name is looked at. */
export function contextOf(root) {
  const rules = ignoreRules(readFileSync(join(root, '.dockerignore'), 'utf8'))
  const tops = [...new Set(rules.filter(({ keep }) => keep).map(({ pattern }) => pattern.split('/')[0]))]
  return globSync(
    tops.flatMap((top) => [top, `${top}/**/*`]),
    { cwd: root, exclude: (path) => /(^|\/)(node_modules|dist)$/.test(path) },
  )
    .filter((path) => isSent(path, rules) && statSync(join(root, path)).isFile())
    .sort()
}
