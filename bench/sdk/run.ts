import type { Store } from '../session/serving.ts'
import { benchRefreshes, type RefreshRow } from './refreshes.ts'
import { benchWarmRead, type WarmRead } from './warm-read.ts'

export interface SdkFigures {
  readonly read: WarmRead
  readonly refreshes: readonly RefreshRow[]
}

export async function benchSdk(options: { readonly short: boolean; readonly stores: readonly Store[] }): Promise<SdkFigures> {
  return { read: await benchWarmRead(options), refreshes: await benchRefreshes(options) }
}
