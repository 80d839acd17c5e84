import type { Config } from './config.ts'
import { NodeTracing } from './observability/node-tracing.ts'
import type { Scopes } from './observability/scopes.ts'
import { systemTimers } from './system.ts'

/** Null where no endpoint is configured: the libraries are then never loaded. */
export async function openTracing(
  { otlpEndpoint }: Pick<Config, 'otlpEndpoint'>,
  about: { readonly node: string; readonly version: string },
  scopes: Scopes,
): Promise<NodeTracing | null> {
  if (otlpEndpoint === null) return null
  const { openOtlp } = await import('./observability/otlp.ts')
  const url = new URL(otlpEndpoint.reveal())
  const sample = Number(url.searchParams.get('sample') ?? 1)
  return new NodeTracing(openOtlp({ ...about, endpoint: url.href, sample, timers: systemTimers }), scopes)
}
