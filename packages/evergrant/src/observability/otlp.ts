import { type Context, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { AlwaysOnSampler, BatchSpanProcessor, ParentBasedSampler, TraceIdRatioBasedSampler, TracerProvider } from '@opentelemetry/sdk-trace'
import { SECOND, type Timers } from '../core/time.ts'
import type { OpenSpan, RemoteParent, SpanSource } from './spans.ts'

interface OtlpOptions {
  /** `http://collector:4318`; spans go to `/v1/traces` below it. User and password become basic authentication. */
  readonly endpoint: string
  /** Share of the traces that begin here, 0 to 1. A caller's own decision is followed. */
  readonly sample: number
  readonly version: string
  readonly node: string
  readonly timers: Pick<Timers, 'after'>
}

const KINDS = { server: SpanKind.SERVER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL } as const
const CLOSE_MS = 5 * SECOND

/**
 * Spans to an OpenTelemetry collector, in batches (OTLP over HTTP, JSON). This module is loaded only where an endpoint is configured. Nothing global is
 * registered: an application that embeds this server keeps its own tracing, and no library adds headers to requests of ours.
 */
export function openOtlp(options: OtlpOptions): SpanSource {
  const exporter = new OTLPTraceExporter(exporterOptions(options.endpoint))
  const root = options.sample >= 1 ? new AlwaysOnSampler() : new TraceIdRatioBasedSampler(options.sample)
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'evergrant', 'service.version': options.version, 'service.instance.id': options.node }),
    sampler: new ParentBasedSampler({ root }),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  })
  const tracer = provider.getTracer('evergrant', options.version)
  const known = new WeakMap<OpenSpan, Span>()
  return {
    start: (name, kind, attributes, parent) => {
      const span = tracer.startSpan(name, { kind: KINDS[kind], attributes: { ...attributes } }, contextOf(parent, known))
      const open = openSpan(span)
      known.set(open, span)
      return open
    },
    close: async () => {
      const late = new Promise<void>((resolve) => void options.timers.after(CLOSE_MS, resolve))
      await Promise.race([provider.shutdown().catch(() => {}), late])
    },
  }
}

function exporterOptions(endpoint: string): { readonly url: string; readonly headers: Record<string, string> } {
  const url = new URL(endpoint)
  const { username, password } = url
  const login = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')
  url.username = ''
  url.password = ''
  url.search = ''
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/traces`
  return { url: url.href, headers: username === '' ? {} : { authorization: `Basic ${login}` } }
}

function contextOf(parent: OpenSpan | RemoteParent | null, known: WeakMap<OpenSpan, Span>): Context {
  if (parent === null) return ROOT_CONTEXT
  if ('sampled' in parent) {
    const { traceId, spanId, sampled } = parent
    return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, isRemote: true, traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE })
  }
  const span = known.get(parent)
  return span === undefined ? ROOT_CONTEXT : trace.setSpan(ROOT_CONTEXT, span)
}

function openSpan(span: Span): OpenSpan {
  const { traceId, spanId } = span.spanContext()
  return {
    traceId,
    spanId,
    rename: (name) => void span.updateName(name),
    set: (attributes) => void span.setAttributes({ ...attributes }),
    end: (trouble = null) => {
      if (trouble !== null) span.setStatus({ code: SpanStatusCode.ERROR, message: trouble })
      span.end()
    },
  }
}
