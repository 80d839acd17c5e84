import type { ProviderRecord } from '../core/provider/record.ts'
import type {
  AfterConnect,
  ChainStep,
  CheckFacts,
  Handshake,
  LimitFacts,
  PushFacts,
  PushProof,
  PushRule,
  QuotaFacts,
  RecordRequest,
} from '../core/provider/record-around.ts'

/** What stands around the grant: further requests, checks, quotas, pushes, documented answers. */
export interface AroundDraft {
  readonly chain?: readonly ChainDraft[]
  readonly afterConnect?: readonly AfterConnectDraft[]
  readonly check?: (Omit<Partial<CheckFacts>, 'request'> & { readonly request: RequestDraft }) | null
  readonly limits?: { readonly token?: LimitFacts['token']; readonly api?: readonly QuotaDraft[] }
  readonly push?: PushDraft | null
  readonly samples?: Partial<ProviderRecord['samples']>
  readonly sunsets?: ProviderRecord['sunsets']
}

type RequestDraft = Pick<RecordRequest, 'url'> & Partial<RecordRequest>
type ChainDraft = Omit<Partial<ChainStep>, 'request'> & { readonly request: RequestDraft }
type AfterConnectDraft = Pick<AfterConnect, 'finds'> & Omit<Partial<AfterConnect>, 'request'> & { readonly request: RequestDraft }
export type QuotaDraft = Pick<QuotaFacts, 'name'> & Partial<QuotaFacts>
interface PushDraft {
  readonly proof?: Partial<PushFacts['proof']>
  readonly handshake?: (Pick<Handshake, 'where' | 'echo'> & Partial<Handshake>) | null
  readonly rules?: readonly (Pick<PushRule, 'means'> & Partial<PushRule>)[]
  readonly acknowledge?: PushFacts['acknowledge']
}

type Around = Pick<ProviderRecord, keyof AroundDraft>

const PROOF: PushProof = {
  kind: 'none',
  header: '',
  format: '{signature}',
  encoding: 'hex',
  text: '{body}',
  timestampHeader: null,
  secret: 'push_secret',
}

export function completeAround(draft: AroundDraft): Around {
  return {
    chain: (draft.chain ?? []).map((step) => ({
      onRefresh: false,
      accessToken: 'access_token',
      expiresIn: 'expires_in',
      expiresInUnit: 'seconds',
      accessSeconds: null,
      facts: {},
      ...step,
      request: completeRequest(step.request),
    })),
    afterConnect: (draft.afterConnect ?? []).map((step) => ({
      from: null,
      facts: {},
      scopes: null,
      done: [],
      needed: true,
      ...step,
      request: completeRequest(step.request),
    })),
    check: draft.check ? { where: null, everySeconds: null, needsScope: [], ...draft.check, request: completeRequest(draft.check.request) } : null,
    limits: { token: draft.limits?.token ?? null, api: (draft.limits?.api ?? []).map(completeQuota) },
    push: draft.push ? completePush(draft.push) : null,
    samples: { exchange: null, refresh: null, check: null, ...draft.samples },
    sunsets: draft.sunsets ?? [],
  }
}

function completeRequest(draft: RequestDraft): RecordRequest {
  return { method: 'GET', headers: {}, parameters: {}, format: draft.method === 'POST' ? 'form' : 'query', ...draft }
}

function completeQuota(draft: QuotaDraft): QuotaFacts {
  return { per: 'client', methods: [], limit: null, used: null, remaining: null, reset: null, bucket: null, windowSeconds: null, aligned: false, ...draft }
}

function completePush(draft: PushDraft): PushFacts {
  return {
    proof: { ...PROOF, ...draft.proof },
    handshake: draft.handshake ? { method: 'GET', token: null, ...draft.handshake } : null,
    rules: (draft.rules ?? []).map((rule) => ({ list: null, where: {}, headers: {}, account: null, pattern: null, at: null, code: null, facts: {}, ...rule })),
    acknowledge: draft.acknowledge ?? 200,
  }
}
