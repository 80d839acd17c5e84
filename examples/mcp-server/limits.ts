import { parseArgs } from 'node:util'

/** What this server lets through, whatever the policy at Evergrant says besides. The stricter of the two counts. */
export interface Limits {
  readonly methods: readonly string[]
  /** The path of a call must be one of these, or go on below one of them. */
  readonly paths: readonly string[]
  readonly requestBytes: number
  readonly answerBytes: number
  readonly seconds: number
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
const SECONDS_MAX = 300

/** From the command line, where whoever runs this server sets them and the AI agent does not. @throws Error that names the option */
export function readLimits(args: readonly string[]): Limits {
  const { values } = parseArgs({
    args: [...args],
    options: {
      methods: { type: 'string', default: 'GET,HEAD' },
      paths: { type: 'string', default: '/' },
      'request-bytes': { type: 'string', default: '16384' },
      'answer-bytes': { type: 'string', default: '32768' },
      seconds: { type: 'string', default: '30' },
    },
  })
  const methods = values.methods.toUpperCase().split(',')
  const paths = values.paths.split(',')
  if (!methods.every((method) => METHODS.includes(method))) throw new Error(`--methods must be some of ${METHODS.join(', ')}, separated by commas.`)
  if (!paths.every((path) => path.startsWith('/'))) throw new Error('--paths must be paths that begin with a slash, separated by commas.')
  return {
    methods,
    paths,
    requestBytes: wholeNumber('request-bytes', values['request-bytes']),
    answerBytes: wholeNumber('answer-bytes', values['answer-bytes']),
    seconds: Math.min(SECONDS_MAX, wholeNumber('seconds', values.seconds)),
  }
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${option} must be a whole number from 1 on.`)
  return value
}
