import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** A file as the guards see it: its path from the root of the repository, with forward slashes, and its text. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

const SKIPPED_FOLDERS = new Set(['node_modules', 'dist', '.git', '.tsbuild', 'data', 'coverage', 'results'])

/** Every text file of the repository that a person wrote, sorted by path. */
export function sourceTree(root: string): SourceFile[] {
  return pathsBelow(root, '')
    .filter((path) => /(\.(ts|tsx|mjs|json|md|ya?ml|sql|sh|css|html)|^LICENSE|^\.ci\/run)$/.test(path))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
}

/** The folders directly below `folder`. */
export function foldersOf(root: string, folder: string): string[] {
  return readdirSync(join(root, folder)).filter((name) => statSync(join(root, folder, name)).isDirectory())
}

function pathsBelow(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (entry.isDirectory()) return SKIPPED_FOLDERS.has(entry.name) ? [] : pathsBelow(root, path)
    return entry.isFile() ? [path] : []
  })
}
