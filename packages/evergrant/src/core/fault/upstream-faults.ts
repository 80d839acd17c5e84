import { defineFaults } from './definition.ts'

/** What can happen behind the proxy. */
export const UPSTREAM_FAULTS = defineFaults({
  upstream_forbidden_host: {
    class: 'request',
    blame: 'caller',
    status: 400,
    action: 'none',
    title: 'The proxy does not call that host',
    effect: 'none',
    retry: "with a path of the provider's API",
    endUser: 'That is not possible.',
    operator: "The proxy only calls the provider's own API hosts.",
  },
  upstream_unreachable: {
    class: 'transient',
    blame: 'provider',
    status: 502,
    action: 'retry',
    title: '{P} cannot be reached',
    effect: 'none',
    retry: 'by the caller, with back-off',
    endUser: '{P} cannot be reached right now.',
    operator: "The provider's API did not answer the proxied request.",
  },
  upstream_timeout: {
    class: 'transient',
    blame: 'provider',
    status: 504,
    action: 'retry',
    title: '{P} took too long',
    effect: 'none',
    retry: 'by the caller, if the request is safe to repeat',
    endUser: '{P} took too long to answer.',
    operator: "The provider's API did not answer within the deadline.",
  },
  upstream_token_refused: {
    class: 'grant',
    blame: 'provider',
    status: 502,
    action: 'wait',
    title: '{P} refuses a fresh token',
    effect: 'none',
    retry: 'by the caller, later',
    endUser: '{P} refuses access right now.',
    operator: 'The API answered 401 even with a renewed token: check headers, product access and account status at the provider.',
  },
})
