import { Component, type ReactNode } from 'react'
import { Button } from '../design/button.tsx'
import { ProblemNote } from '../design/states.tsx'

interface Props {
  readonly path: string
  readonly children: ReactNode
}
interface State {
  readonly error: unknown
  readonly path: string
}

/** A page that fails leaves the frame standing; the next page begins anew. */
export class PageBoundary extends Component<Props, State> {
  override state: State = { error: null, path: this.props.path }

  static getDerivedStateFromError(error: unknown): Partial<State> {
    return { error }
  }

  static getDerivedStateFromProps({ path }: Props, state: State): Partial<State> | null {
    return path === state.path ? null : { error: null, path }
  }

  override render(): ReactNode {
    if (this.state.error === null) return this.props.children
    return (
      <>
        <ProblemNote title="This page failed" error={this.state.error} onRetry={() => this.setState({ error: null })} />
        <p>
          <Button look="quiet" onClick={() => location.reload()}>
            Load the console again
          </Button>
        </p>
      </>
    )
  }
}
