import type { Labels } from '../labels.ts'

const reconnect = { primary: '{P} に再接続' }
const signIn = { primary: 'サインイン' }

export const ja: Labels = {
  locale: 'ja',
  provider: 'プロバイダー',
  account: 'お使いのアカウント',
  app: 'サーバー',
  details: '詳細',
  dismiss: '閉じる',
  more: { other: 'ほかに {n} 件の接続で対応が必要です' },
  region: '接続',
  status: {
    valid: '接続済み',
    expiring: 'まもなく期限切れ',
    refreshing: '更新中',
    needs_reauth: '再接続が必要',
    unavailable: '利用できません',
    disconnected: '切断済み',
    unknown: '確認中',
  },
  messages: {
    connection_expired: {
      title: '{P} への再接続が必要です',
      body: [
        '{A} へのアクセスは {date} に期限切れになりました。同期は一時停止中です。削除されたものはありません。',
        '{A} へのアクセスの期限が切れました。同期は一時停止中です。削除されたものはありません。',
      ],
      ...reconnect,
      secondary: '明日もう一度知らせる',
    },
    connection_expiring: {
      title: '{P} へのアクセスは{T}に終了します',
      body: ['中断を避けるため、{date} までに {A} を更新してください。'],
      primary: '今すぐ更新',
      secondary: '24 時間前まで表示しない',
    },
    connection_revoked: {
      title: '{P} へのアクセスが取り消されました',
      body: [
        '{P} で {A} へのアクセスが取り消されたか、パスワードまたはセキュリティポリシーが変更されました。心当たりがない場合は {P} の管理者に確認してください。',
      ],
      ...reconnect,
      secondary: '切断',
    },
    refresh_outcome_lost: {
      title: '{P} への再接続が必要です',
      body: ['{P} が更新している間に {A} への接続が中断されました。削除されたものはありません。'],
      ...reconnect,
      secondary: '明日もう一度知らせる',
    },
    rotated_after_backup: {
      title: '{P} への再接続が必要です',
      body: ['{A} への接続より古いバックアップに戻す必要がありました。削除されたものはありません。'],
      ...reconnect,
    },
    grant_kept_elsewhere: {
      title: '{P} は別の環境で接続されています',
      body: ['これは別の環境のコピーで、{P} への接続は元の環境にあります。ここで {P} を使うには接続し直してください。'],
      ...reconnect,
    },
    new_credentials_needed: {
      title: '{P} に新しい認証情報が必要です',
      body: ['{P} 用に保存されているキーまたはパスワードは使えなくなりました。削除されたものはありません。続けるには新しいものが必要です。'],
    },
    scope_missing: {
      title: '{P} に追加の許可が必要です',
      body: [
        '{feature}には「{scope}」を許可してください。ほかの機能は引き続き使えます。',
        'この操作には {P} で追加の許可が必要です。ほかの機能は引き続き使えます。',
      ],
      primary: '{P} で許可',
      secondary: '後で',
    },
    admin_approval_required: {
      title: '{P} の管理者の承認が必要です',
      body: ['このリンクを {tenant} の管理者に送ってください。', 'このリンクを {P} の組織の管理者に送ってください。'],
      primary: '申請リンクをコピー',
      secondary: '自分が管理者です',
    },
    account_mismatch: {
      title: '別の {P} アカウントでした',
      body: [
        'この接続は {A} のものですが、{B} でサインインしました。変更はありません。',
        'この接続は {A} のものですが、別のアカウントでサインインしました。変更はありません。',
      ],
      primary: '{A} でやり直す',
      secondary: '{B} を新しい接続として追加',
    },
    connection_paused: { title: '{P} は一時停止中です', body: ['{A} への接続は一時停止中です。削除されたものはありません。'] },
    connection_disconnected: { title: '{P} は切断されています', body: ['{A} への接続は切断されました。'], ...reconnect },
    client_rejected: { title: '{P} は現在利用できません', body: ['担当チームに通知しました。'], secondary: 'サポートに連絡' },
    provider_rate_limited: {
      title: '{P} からアクセスを抑えるよう求められました',
      body: ['{A} のリクエストは{T}に再開します。失われるものはありません。', '{A} のリクエストはまもなく再開します。失われるものはありません。'],
      secondary: '詳細',
    },
    provider_unavailable: {
      title: '{P} が応答していません',
      body: [
        '{P} では {time} から問題が発生しています。再試行を続けています。再接続は不要です。',
        '{P} で問題が発生しています。再試行を続けています。再接続は不要です。',
      ],
      secondary: '{P} の稼働状況',
    },
    outcome_unknown: { title: '{P} の応答を待っています', body: ['{P} から応答がありませんでした。再試行を続けています。再接続は不要です。'] },
    deaths_held: {
      title: '{P} を確認しています',
      body: ['{P} が多くの接続を一度に拒否したため、確認しています。まだ再接続は不要です。'],
    },
    refresh_in_progress: { title: '{P} を更新しています', body: ['お待ちください。{P} を更新しています。'] },
    reconnect_waiting: {
      title: '{P} を待っています',
      body: ['開いたウィンドウで手続きを完了してください。閉じた場合は、もう一度始めてください。'],
      primary: 'もう一度開く',
      secondary: 'キャンセル',
    },
    reconnect_cancelled: {
      title: '再接続が完了していません',
      body: ['{P} が確認する前にサインインのウィンドウが閉じられました。'],
      primary: 'もう一度開く',
      secondary: 'キャンセル',
    },
    popup_blocked: {
      title: 'ブラウザーがウィンドウをブロックしました',
      body: ['このサイトのポップアップを許可するか、このタブで続けてください。'],
      primary: 'このタブで続ける',
      secondary: '許可する方法',
    },
    reconnected: { title: '{A} として再接続しました。', body: [] },
    client_offline: { title: 'オフラインです', body: ['自動的に再試行します。作業内容は保持されています。'], primary: '今すぐ試す' },
    service_unreachable: {
      title: '{App} に接続できません',
      body: ['{T}に再試行します。サインインしたままです。', '再試行しています。サインインしたままです。'],
      primary: '今すぐ試す',
      secondary: '稼働状況',
    },
    session_missing: { title: 'サインインしてください', body: [], ...signIn },
    session_expired: {
      title: 'もう一度サインインしてください',
      body: [
        'サインアウトされました（{reason}）。このページの未保存の入力は保持されています。',
        'しばらく操作がなかったためサインアウトされました。このページの未保存の入力は保持されています。',
      ],
      ...signIn,
    },
    session_signed_out: { title: '別のタブでサインアウトしました', body: [], ...signIn },
    session_revoked: {
      title: 'セッションが終了されました',
      body: ['{App} の管理者が終了しました。もう一度サインインするか、管理者に確認してください。'],
      ...signIn,
    },
    session_reuse_detected: {
      title: '安全のためこのセッションを終了しました',
      body: ['セッションが 2 か所で使われました。もう一度サインインし、最近のアクティビティを確認してください。'],
      ...signIn,
      secondary: 'アクティビティを確認',
    },
    clock_skew: { title: '端末の時計が {n} 分ずれています', body: ['直すまでサインインに失敗することがあります。'], primary: '直し方' },
    unknown: {
      title: '{P} で問題が発生しました',
      body: ['再試行しています。続く場合は、この ID をお知らせください: {requestId}', '再試行しています。'],
      primary: '再試行',
      secondary: '詳細をコピー',
    },
  },
}
