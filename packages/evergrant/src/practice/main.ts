import { parseArgs } from 'node:util'
import { camelCased } from './json-names.ts'
import type { ProfileSettings } from './profile.ts'
import { startPracticeProvider } from './provider.ts'

const USAGE = `practice provider: a strict OAuth server with faults on command

  --port <n>            port to listen on; 0 takes a free one (default 0)
  --host <address>      address to listen on (default 127.0.0.1)
  --public-url <url>    what issuers begin with (default http://host:port)
  --no-control          do not serve the control page and the control plane
  --profiles <json>     changes or new profiles: {"p4":{"access_seconds":60}}
  --help
`

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    host: { type: 'string', default: '127.0.0.1' },
    'public-url': { type: 'string' },
    control: { type: 'boolean', default: true },
    profiles: { type: 'string', default: '{}' },
    help: { type: 'boolean', default: false },
  },
  allowNegative: true,
})

if (values.help) {
  process.stdout.write(USAGE)
} else {
  const provider = await startPracticeProvider({
    port: Number(values.port),
    host: values.host,
    controlPlane: values.control,
    profiles: camelCased(JSON.parse(values.profiles)) as Record<string, Partial<ProfileSettings>>,
    ...(values['public-url'] === undefined ? {} : { publicUrl: values['public-url'] }),
  })
  process.stdout.write(`${JSON.stringify({ url: provider.url, pid: process.pid })}\n`)
  const stop = () => void provider.close().then(() => process.exit(0))
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
}
