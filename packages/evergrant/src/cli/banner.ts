/** What a person needs to know after a start. */
export interface Started {
  readonly url: string
  readonly database: string
  readonly dataDir: string
  /** Set in development: the page to try it on, and the practice provider beside it. */
  readonly development: { readonly tryUrl: string; readonly practiceUrl: string } | null
  /** While nobody is there: where the first owner is made, once, within a day. Null once somebody is. */
  readonly setupUrl: string | null
}

/** What a person types: from the sources there is no program of that name. */
const COMMAND = import.meta.url.endsWith('.ts') ? 'npm run evergrant --' : 'evergrant'

export function banner(version: string, started: Started): string {
  const { url, development, setupUrl } = started
  const rows = [
    `  Console     ${url}/console/`,
    ...(development === null ? [] : [`  Try it      ${development.tryUrl}`, `  Practice    ${development.practiceUrl}`]),
    `  API         ${url}/docs/api`,
    `  Health      ${url}/health/ready`,
    `  Database    ${started.database}`,
    `  Data        ${started.dataDir}`,
  ]
  const next = development === null ? [] : ['', `  A key for your backend: ${COMMAND} api-keys create --name backend`, '  Stop with Ctrl+C.']
  return ['', `Evergrant ${version} is ready: ${url}`, '', ...rows, ...(setupUrl === null ? [] : firstOwner(setupUrl)), ...next, ''].join('\n')
}

function firstOwner(setupUrl: string): string[] {
  return [
    '',
    '  Nobody can sign in yet. Make the first owner here; the link works once, for a day:',
    `  ${setupUrl}`,
    `  or on this machine: ${COMMAND} users create --role owner --email you@example.com`,
  ]
}
