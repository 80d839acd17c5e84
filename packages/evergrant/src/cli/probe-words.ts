import type { JsonObject, JsonValue } from '../core/json.ts'
import type { ProbeReport } from '../core/provider/probe-reuse.ts'
import type { ReuseClass } from '../core/provider/reuse.ts'

const CLASSES: readonly ReuseClass[] = ['P0', 'P1', 'P2', 'P3', 'P4']

/** A report as the API tells it. */
export function readProbe(told: JsonObject): ProbeReport {
  const { rotation, evidence, window_seconds: windowSeconds } = told
  return {
    class: CLASSES.find((one) => one === told['class']) ?? null,
    windowSeconds: typeof windowSeconds === 'number' ? windowSeconds : 0,
    rotation: rotation === 'never' || rotation === 'always' ? rotation : null,
    refreshEndsAccessToken: yesOrNo(told['refresh_ends_access_token']),
    reuseEndsGrant: yesOrNo(told['reuse_ends_grant']),
    evidence: typeof evidence === 'string' ? evidence : '',
    open: textsOf(told['unknown']),
  }
}

export function textsOf(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
}

function yesOrNo(value: JsonValue | undefined): boolean | null {
  return typeof value === 'boolean' ? value : null
}

/** What to write into the record, or to set for one integration. */
export function learnt({ class: found, windowSeconds, rotation, refreshEndsAccessToken, evidence, open }: ProbeReport): string {
  if (found === null) return `Nothing was learnt. ${evidence}`
  const window = found === 'P1' ? `, windowSeconds: ${windowSeconds}` : ''
  return [
    evidence,
    '',
    `reuse: { class: ${found}${window}, evidence: ${JSON.stringify(evidence)} }`,
    ...(rotation === null ? [] : [`rotation: ${rotation}`]),
    ...(refreshEndsAccessToken === true ? ['lifetimes: { refreshEndsAccessToken: true }'] : []),
    '',
    `for one integration: evergrant integrations update <id> --setting reuse=${found === 'P1' ? `P1:${windowSeconds}` : found}`,
    ...open.map((one) => `not known: ${one}`),
  ].join('\n')
}
