// An MCP server over stdio: an AI agent uses connections, under the policy of its Evergrant agent, and never sees a token.
//   node main.ts [--methods GET,HEAD] [--paths /v1] [--request-bytes 16384] [--answer-bytes 32768] [--seconds 30]
// Standard output belongs to the protocol; everything for people goes to standard error.
import { Evergrant } from '@evergrant/sdk/node'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { createConnectionServer } from './connection-server.ts'
import { readLimits } from './limits.ts'

const eg = new Evergrant()
const server = createConnectionServer({ connections: eg.connections, limits: readLimits(process.argv.slice(2)) })
server.onclose = () => void eg.close()
process.stdin.once('end', () => void server.close())
await server.connect(new StdioServerTransport())
