const HOUR = 3_600_000
const DAY = 24 * HOUR
const STATUSES = { active: 1_400, degraded: 14, blocked: 4, needs_reauth: 22, paused: 9 } as const
const LEADS = ['0', '60', '300', '600', '900', '1800', '3600', '7200', '21600', '86400'] as const
/** About how much of each is counted in an hour. */
const USUAL: Readonly<Record<string, number>> = {
  refreshes_ok: 940,
  refreshes_transient: 9,
  refreshes_unknown: 1,
  refreshes_dead: 2,
  refresh_ms_p50: 130,
  refresh_ms_p95: 420,
  refresh_ms_p99: 900,
  reads: 18_400,
  throttled: 6,
  breaker_open_seconds: 20,
  connect_started: 14,
  connect_completed: 11,
  connect_failed: 2,
  reconnect_seconds_p50: 5_400,
  reconnect_notified: 5,
  reconnect_opened: 4,
  reconnect_authorised: 3,
  reconnect_verified: 3,
  deliveries_ok: 310,
  deliveries_failed: 12,
  reissues: 4,
  healed: 2,
  reuse_detected: 0.1,
}

/** A new server has no past: the plots of the pictures show an answer of `GET metrics/history` that is made up, the same for the same hour. */
export function madeUpFigures(asked: URLSearchParams, now: number): object {
  const to = Date.parse(asked.get('to') ?? '') || now
  const from = Date.parse(asked.get('from') ?? '') || to - DAY
  const stepMs = to - from > 7 * DAY ? DAY : HOUR
  const times = Array.from({ length: Math.ceil((to - from) / stepMs) }, (_, at) => from + at * stepMs)
  const points = (usual: number, seed: number) => times.map((time) => [new Date(time).toISOString(), Math.round(usual * wave(time, seed) * 100) / 100])
  const series = (asked.get('series') ?? '').split(',').flatMap((name, seed) => {
    if (name === 'connections_by_status')
      return Object.entries(STATUSES).map(([status, usual], at) => ({
        name,
        labels: { status },
        points: points(usual, at).map(([time, value]) => [time, Math.round(Number(value) / 10) + usual]),
      }))
    if (name === 'lead_seconds')
      return LEADS.map((le, at) => ({ name, labels: { le }, points: points(at * at * 4, at).map(([time, value]) => [time, Math.round(Number(value))]) }))
    const usual = USUAL[name]
    if (usual === undefined) return []
    return [{ name, labels: {}, points: points(usual, seed).map(([time, value]) => [time, name.includes('_p') ? value : Math.round(Number(value))]) }]
  })
  return { step: stepMs === DAY ? 'day' : 'hour', from: new Date(from).toISOString(), series }
}

/** Days and nights, and something that looks like chance. */
function wave(time: number, seed: number): number {
  const day = 1 + 0.45 * Math.sin((time / DAY) * 2 * Math.PI - 1.2)
  const chance = Math.abs(Math.sin((time / HOUR) * 12.9898 + seed * 78.233) * 43_758.5453) % 1
  return day * (0.75 + chance / 2)
}
