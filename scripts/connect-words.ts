import { fileURLToPath } from 'node:url'
import { de } from '../packages/sdk/src/react/labels/de.ts'
import { en } from '../packages/sdk/src/react/labels/en.ts'
import { es } from '../packages/sdk/src/react/labels/es.ts'
import { fr } from '../packages/sdk/src/react/labels/fr.ts'
import { ja } from '../packages/sdk/src/react/labels/ja.ts'
import { pt } from '../packages/sdk/src/react/labels/pt.ts'
import type { MessageCode } from '../packages/sdk/src/react/labels.ts'

export const CAUSES_FILE = fileURLToPath(new URL('../packages/evergrant/src/http/connect/words/causes.ts', import.meta.url))

/** What a connect page may have to say of a connection or its provider. */
const CODES: readonly MessageCode[] = [
  'connection_expired',
  'connection_revoked',
  'refresh_outcome_lost',
  'rotated_after_backup',
  'grant_kept_elsewhere',
  'scope_missing',
  'account_mismatch',
  'admin_approval_required',
  'connection_disconnected',
  'client_rejected',
  'provider_rate_limited',
  'provider_unavailable',
  'outcome_unknown',
  'unknown',
]

const LANGUAGES = { en, de, es, fr, ja, pt }

/** The source of `causes.ts`. */
export function causesSource(): string {
  const blocks = Object.entries(LANGUAGES).map(([name, { messages }]) => {
    const rows = CODES.map((code) => {
      const { title, body, primary = null, secondary = null } = messages[code]
      return `    ${code}: { title: ${quoted(title)}, body: [${body.map(quoted).join(', ')}], primary: ${primary === null ? 'null' : quoted(primary)}, secondary: ${secondary === null ? 'null' : quoted(secondary)} },\n`
    })
    return `  ${name}: {\n${rows.join('')}  },\n`
  })
  return `// Written by scripts/write-connect-words.ts from packages/sdk/src/react/labels. Change the words there.
// biome-ignore-all format: written by a script

export interface Cause {
  readonly title: string
  /** The first whose places can all be filled counts. */
  readonly body: readonly string[]
  readonly primary: string | null
  readonly secondary: string | null
}

export type CauseCode =
${CODES.map((code) => `  | '${code}'\n`).join('')}
export type LanguageTag = ${Object.keys(LANGUAGES)
    .map((name) => `'${name}'`)
    .join(' | ')}

export const CAUSES: Readonly<Record<LanguageTag, Readonly<Record<CauseCode, Cause>>>> = {
${blocks.join('')}}
`
}

function quoted(text: string): string {
  return text.includes("'") ? JSON.stringify(text) : `'${text}'`
}
