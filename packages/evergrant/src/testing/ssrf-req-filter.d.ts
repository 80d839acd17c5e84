declare module 'ssrf-req-filter' {
  import type { Agent } from 'node:http'

  const filter: {
    (url: string): Agent
    requestFilterHandler<Kind extends Agent>(agent: Kind): Kind
  }
  export default filter
}
