import { type Evergrant, isEvergrantError } from '@evergrant/sdk/browser'
import { type FormEvent, useState } from 'react'

/** What the server's codes mean to the person at this form. */
const WORDS: Readonly<Record<string, string>> = {
  sign_in_refused: 'E-mail address and password do not belong together. Check both.',
  rate_limited: 'That was tried too often. Wait a minute, then try again.',
}
const UNREACHABLE = 'The server cannot be reached. Try again in a moment.'

export function SignIn({ evergrant }: { readonly evergrant: Evergrant }) {
  const [problem, setProblem] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)

  async function submit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    setBusy(true)
    setProblem(null)
    try {
      const result = await evergrant.signIn({ email: String(form.get('email')), password: String(form.get('password')) })
      if (result.kind === 'second_factor') setProblem('This person has a second factor, and this example has no page for it.')
    } catch (error) {
      setProblem((isEvergrantError(error) ? WORDS[error.code] : undefined) ?? UNREACHABLE)
    } finally {
      setBusy(false)
    }
  }

  return (
    <main className="welcome">
      <h1>Field Notes</h1>
      <p className="lead">Sign in once. Two tabs, a sleeping laptop or a deploy will not ask you again.</p>
      <form className="card" onSubmit={(event) => void submit(event)} aria-describedby={problem === null ? undefined : 'problem'}>
        <label htmlFor="email">E-mail</label>
        <input id="email" name="email" type="email" autoComplete="username" required />
        <label htmlFor="password">Password</label>
        <input id="password" name="password" type="password" autoComplete="current-password" required />
        {problem !== null && (
          <p id="problem" className="problem" role="alert">
            {problem}
          </p>
        )}
        <button type="submit" className="primary" disabled={busy}>
          {busy ? 'Signing in ...' : 'Sign in'}
        </button>
      </form>
    </main>
  )
}
