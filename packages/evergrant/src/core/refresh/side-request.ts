import { NotSent, type ProviderRequest, type WireOutcome } from '../provider/wire.ts'
import type { EngineWorld } from './engine-ports.ts'

/** A question to the provider that spends nothing. Never rejects for a connection that cannot be opened. */
export async function askBeside({ endpoint, times }: Pick<EngineWorld, 'endpoint' | 'times'>, request: ProviderRequest): Promise<WireOutcome> {
  try {
    const line = await endpoint.open(request.url, { pooled: true, certificate: request.certificate })
    return await line.send(request, times.callerWaitMs)
  } catch (error) {
    if (error instanceof NotSent) return { kind: 'not_sent', cause: error.reason }
    throw error
  }
}
