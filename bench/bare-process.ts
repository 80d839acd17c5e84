import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** Starts the bare server, or another one of this folder, beside the bench. */
export async function startBareServer(script = './bare-server.ts'): Promise<{ readonly url: string; readonly pid: number; stop(): void }> {
  const child = spawn(process.execPath, [fileURLToPath(new URL(script, import.meta.url))], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })
  const first = await new Promise<string>((resolve, reject) => {
    lines.once('line', resolve)
    child.once('exit', () => reject(new Error('the bare server did not start')))
  })
  const { url }: { url: string } = JSON.parse(first)
  return { url, pid: child.pid ?? 0, stop: () => child.kill('SIGKILL') }
}
