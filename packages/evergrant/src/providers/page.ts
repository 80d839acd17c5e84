import type { ProviderRecord } from '../core/provider/record.ts'
import { lifetimes, scopes, setUp, using, whatBreaks } from './page-sections.ts'
import { code, GRANT_WORDS, list, table, unverifiedMark } from './page-words.ts'

const GENERATED =
  '<!-- Generated from the records of packages/evergrant/src/providers/catalogue by `npm run generate:providers`. Change the record, not this file. -->'

/** The page of a record in docs/providers, whole. */
export function providerPage(record: ProviderRecord): string {
  const parts = [
    `# ${record.name}`,
    '',
    GENERATED,
    '',
    `Provider ${code(record.id)}. ${GRANT_WORDS[record.grant]}${record.docs === null ? '' : ` [Documentation of the provider](${record.docs})${unverifiedMark(record, 'docs')}.`}`,
    '',
    ...setUp(record),
    ...scopes(record),
    ...lifetimes(record),
    ...whatBreaks(record),
    ...using(record),
    ...(record.notes.length === 0 ? [] : ['', `## Good to know${unverifiedMark(record, 'notes')}`, ...list(record.notes)]),
    ...(record.unverified.length === 0 ? [] : unverified(record.unverified)),
    ...(record.sources.length === 0 ? [] : ['', '## Sources', ...list(record.sources.map((source) => (/^https?:/.test(source) ? `<${source}>` : source)))]),
  ]
  return `${parts.join('\n')}\n`
}

function unverified(names: readonly string[]): string[] {
  return [
    '',
    '## Not verified',
    '',
    'Nobody has checked these fields against the provider: they are what other programs assume, or common practice. Where one is wrong, [change the record](../guides/add-a-provider.md#change-a-shipped-one) in your own folder.',
    ...list(names.map(code)),
  ]
}

/** docs/providers/README.md, whole: every page with what costs most when it is wrong. */
export function providersIndex(records: readonly ProviderRecord[]): string {
  const rows = records
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map(({ id, name, lifetimes: { issuesRefreshToken }, reuse, notes: [first = ''], unverified: { length } }) => {
      return [`[${id}](${id}.md)`, name, issuesRefreshToken ? reuse.class : 'no refresh token', first, `${length}`]
    })
  return `${[
    '# Providers',
    '',
    GENERATED,
    '',
    `${records.length} providers ship with Evergrant. Each page says how to set one up, how long its tokens live, what breaks and what Evergrant does about it.`,
    'The reuse class says what a refresh token does that is presented twice; [the reference](../reference/providers.md) explains the classes and every field of a record.',
    ...table(['id', 'provider', 'reuse class', 'what to know first', 'unverified fields'], rows),
  ].join('\n')}\n`
}
