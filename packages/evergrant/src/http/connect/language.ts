import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Brand } from '../../core/connect/brand.ts'
import { basePath } from '../below-path.ts'
import type { Look } from './page-frame.ts'
import { preferredWords, wordsOf } from './words/languages.ts'
import type { PageWords } from './words/page-words.ts'

/** A choice lasts as long as a flow. */
const COOKIE_SECONDS = 30 * 60
const COOKIE = 'evergrant_language'

/** `lang` in the address, else what was chosen earlier in this flow, else what the browser asks for. */
export function languageOf(request: Pick<FastifyRequest, 'url' | 'headers'>): PageWords {
  return namedLanguage(request) ?? cookieLanguage(request) ?? preferredWords(request.headers['accept-language'])
}

/** The language that the address itself names. */
function namedLanguage({ url }: Pick<FastifyRequest, 'url'>): PageWords | undefined {
  return wordsOf(new URLSearchParams(url.split('?')[1] ?? '').get('lang') ?? '')
}

function cookieLanguage({ headers }: Pick<FastifyRequest, 'headers'>): PageWords | undefined {
  return wordsOf(new RegExp(`(?:^|;\\s*)${COOKIE}=([a-z]{2})(?:;|$)`).exec(headers.cookie ?? '')?.[1] ?? '')
}

/** On the way to the provider: the page after it is in the language of the page before it. */
export function keepLanguage(request: FastifyRequest, reply: FastifyReply, publicUrl: string): void {
  const named = namedLanguage(request)
  if (named === undefined) return
  const secure = publicUrl.startsWith('https:') ? '; Secure' : ''
  reply.header('set-cookie', `${COOKIE}=${named.tag}; Path=${basePath(publicUrl)}/; Max-Age=${COOKIE_SECONDS}; HttpOnly; SameSite=Lax${secure}`)
}

/** The path of a request, without its query. */
export function pathHere(request: Pick<FastifyRequest, 'url'>): string {
  return request.url.split('?')[0] ?? ''
}

/** An address of ours, in the language that this page was asked for in. */
export function withLanguage(path: string, request: Pick<FastifyRequest, 'url'>): string {
  const named = namedLanguage(request)
  return named === undefined ? path : `${path}${path.includes('?') ? '&' : '?'}lang=${named.tag}`
}

export function lookOf(request: FastifyRequest, brand: Brand | null, here: string | null = pathHere(request)): Look {
  return { words: languageOf(request), brand, here: request.method === 'GET' ? here : null }
}
