"""A client of Evergrant for programs, written from docs/reference/sdk-protocol.md. Needs Python 3.9 and python3-cryptography."""
import base64, contextlib, fcntl, hashlib, http.client, json, os, random, secrets, sys, time
from urllib import error, request
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils

API = '/api/v1'
Stay = type('Stay', (request.HTTPRedirectHandler,), {'redirect_request': lambda *_: None})  # Credentials follow no redirect.
RETRY_WAITS = (1, 4, 10)  # Seconds between tries of one attempt; a longer Retry-After ends it for now.


def b64(data): return base64.urlsafe_b64encode(data).rstrip(b'=').decode()
def unb64(text): return base64.urlsafe_b64decode(text + '=' * (-len(text) % 4))
def digest(text): return b64(hashlib.sha256(text.encode()).digest())
def new_attempt(): return b64(secrets.token_bytes(16))
def compact(value): return json.dumps(value, separators=(',', ':')).encode()


class Key:
    """P-256 or Ed25519, as a JWK with `d`. Its thumbprint is who this machine is."""

    def __init__(self, jwk):
        self.jwk = jwk
        self.public = {name: jwk[name] for name in ('crv', 'kty', 'x', 'y') if name in jwk}
        self.thumbprint = b64(hashlib.sha256(compact(self.public)).digest())

    @classmethod
    def make(cls):
        numbers = (key := ec.generate_private_key(ec.SECP256R1())).private_numbers()
        point = numbers.public_numbers
        part = lambda number: b64(number.to_bytes(32, 'big'))
        return cls({'kty': 'EC', 'crv': 'P-256', 'x': part(point.x), 'y': part(point.y), 'd': part(numbers.private_value)})

    def sign(self, data):
        secret = unb64(self.jwk['d'])
        if self.jwk['kty'] == 'OKP':
            return ed25519.Ed25519PrivateKey.from_private_bytes(secret).sign(data)
        key = ec.derive_private_key(int.from_bytes(secret, 'big'), ec.SECP256R1())
        r, s = utils.decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, 'big') + s.to_bytes(32, 'big')

    def proof(self, method, url, nonce=None, credential=None, access_token=None, jti=None, iat=None):
        """One `DPoP` header. RFC 9449 section 4.2, with `rth` over the credential in the body."""
        claims = {'jti': jti or new_attempt(), 'htm': method, 'htu': url.split('#')[0].split('?')[0],
                  'iat': int(time.time()) if iat is None else iat}
        claims |= {'rth': digest(credential)} if credential is not None else {}
        claims |= {'ath': digest(access_token)} if access_token is not None else {}
        claims |= {'nonce': nonce} if nonce is not None else {}
        header = {'typ': 'dpop+jwt', 'alg': 'EdDSA' if self.jwk['kty'] == 'OKP' else 'ES256', 'jwk': self.public}
        signed = f'{b64(compact(header))}.{b64(compact(claims))}'
        return f'{signed}.{b64(self.sign(signed.encode()))}'


def what_next(status, body):
    """What an answer asks for: the section "What a client does" in one place."""
    code = body.get('code')
    if status == 200: return 'store' if 'refresh_token' in body else 'show' if 'user_code' in body else 'ended'
    if status == 202 or code in ('authorization_pending', 'slow_down'): return 'poll'
    if status >= 500 or status == 429: return 'later'
    return {'dpop_nonce_required': 'nonce', 'sdk_token_expired': 'recover', 'sdk_token_rotated': 'recover', 'use_refresh': 'refresh',
            'attempt_over': 'reload', 'reload_credentials': 'reload', 'rekey_required': 're_key'}.get(code, 'stop')


class Stopped(Exception):
    """The server said no, and repeating it would change nothing. The message is for people."""


class Agent:
    """One installation. `folder` holds its key, its credentials and its intent, readable by this user alone."""

    def __init__(self, folder, send=None):
        self.folder, self.nonce, self.send = folder, None, send or self._http
        os.makedirs(folder, mode=0o700, exist_ok=True)

    def _path(self, name): return os.path.join(self.folder, name)
    def load(self, name):
        with contextlib.suppress(FileNotFoundError), open(self._path(name)) as file: return json.load(file)

    def save(self, name, value):
        """Beside, synced, renamed, and the folder synced. Nothing is ever deleted because of a failure."""
        beside = self._path(f'.{name}.{os.getpid()}')
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'w') as file:
            json.dump(value, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, self._path(name))
        folder = os.open(self.folder, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)

    @contextlib.contextmanager
    def lock(self):
        """One refresh at a time over all processes; the kernel lets go when its holder dies."""
        with open(os.open(self._path('lock'), os.O_RDWR | os.O_CREAT, 0o600), 'w') as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _http(self, method, url, headers, body):
        data, kind = (None, {}) if body is None else (compact(body), {'content-type': 'application/json'})
        asked = request.Request(url, data, headers | kind, method=method)
        try:
            with request.build_opener(Stay).open(asked, timeout=30) as answer: return answer.status, dict(answer.headers), answer.read()
        except error.HTTPError as refused: return refused.code, dict(refused.headers), refused.read()

    def ask(self, method, url, proof, extra=None, body=None):
        """With a proof; once more where the server asks for its nonce. `proof(nonce)` makes a new one for each request."""
        for _ in range(2):
            headers, sent = proof(self.nonce), body(self.nonce) if callable(body) else body
            status, heard, data = self.send(method, url, {'DPoP': headers} | (extra or {}), sent)
            heard = {name.lower(): value for name, value in heard.items()}
            self.nonce, said = heard.get('dpop-nonce', self.nonce), json.loads(data) if data and 'json' in heard.get('content-type', '') else {}
            if said.get('code') != 'dpop_nonce_required': break
        return status, said, heard

    def present(self, server, path, credential, body, key, next_key=None):
        """One attempt: the same `attempt_id` and body, however often it is sent."""
        url, made = server + API + path, lambda one: lambda nonce: one.proof('POST', url, nonce, credential=credential)
        full = lambda nonce: body | ({'next_key_proof': made(next_key)(nonce)} if next_key else {})
        for wait in (*RETRY_WAITS, None):
            try:
                status, said, heard = self.ask('POST', url, made(key), body=full)
            except (OSError, http.client.HTTPException, ValueError) as lost:  # Also an answer that broke off, or is not what it says it is.
                status, said, heard = 503, {'code': 'no_answer', 'detail': str(lost)}, {}
            after = int(told) if (told := str(said.get('interval') or heard.get('retry-after'))).isdigit() else wait or 0
            if what_next(status, said) not in ('later', 'poll') or wait is None or after > max(RETRY_WAITS): break
            time.sleep(after)
        return status, said

    def enroll(self, code, server=None):
        (secret, _, told), intent = code.partition('.'), self.load('intent.json')
        if told and not unb64(told).endswith(b'/'): raise Stopped('The code was cut off. Copy all of it.')
        server = (server or unb64(told).decode()).rstrip('/')
        if intent is None or intent.get('code') != digest(secret):  # Else it is the same attempt again, after a lost answer.
            intent = {'attempt_id': new_attempt(), 'from_generation': 0, 'code': digest(secret), 'key': Key.make().jwk}
            self.save('intent.json', intent)
        body = {'code': secret, 'attempt_id': intent['attempt_id'], 'custody': 'file', 'hints': {'host': os.uname().nodename[:128], 'sdk': 'python example'}}
        status, said = self.present(server, '/agents/enroll', secret, body, Key(intent['key']))
        if what_next(status, said) != 'store': raise Stopped(said.get('detail') or f'answer {status}')
        return self._keep(server, said, intent['key'])

    def _keep(self, server, said, key):
        """The key and what belongs to it in one file, so that no crash parts them."""
        held = {name: said[name] for name in ('access_token', 'refresh_token', 'generation', 'installation')}
        now, life = time.time(), said['expires_in']
        self.save('credentials.json', held | {'server': server, 'key': key, 'renew_at': now + life * random.uniform(0.6, 0.7), 'over_at': now + life})
        return self.load('credentials.json')

    def credentials(self, renew=False):
        held = self.load('credentials.json')
        if held is None: raise Stopped('This machine is not enrolled. Run: main.py enroll <code>')
        if not renew and time.time() < held['renew_at']: return held
        with self.lock():
            newer = self.load('credentials.json')
            return newer if newer['generation'] > held['generation'] else self._renew(newer)

    def _intent(self, held, anew=False, **more):
        intent = self.load('intent.json')
        if anew or more or intent is None or intent['from_generation'] != held['generation']:
            intent = {'attempt_id': new_attempt(), 'from_generation': held['generation'], **more}
            self.save('intent.json', intent)
        return intent

    def _renew(self, held):
        verb, key, intent = 'refresh', held['key'], self._intent(held)
        for _ in range(6):
            next_key = intent.get('next_key')
            body = {'refresh_token' if verb == 'refresh' else 'old_refresh_token': held['refresh_token'], 'attempt_id': intent['attempt_id']}
            fresh = Key(next_key) if next_key and key != next_key else None
            status, said = self.present(held['server'], f'/auth/sdk/{verb}', held['refresh_token'], body, Key(key), fresh)
            then = what_next(status, said)
            if then == 'store':
                if said['metadata']['source'] == 'token_recovery': print(f"recovered by itself: {said['metadata']['recovery_reason']}", file=sys.stderr)
                return self._keep(held['server'], said, next_key or key)
            if then in ('recover', 'refresh'): verb = then
            elif then == 're_key': intent = self._intent(held, next_key=Key.make().jwk)
            elif then == 'reload':
                newer = self.load('credentials.json')
                if newer['generation'] > held['generation']: return newer
                intent = self._intent(held, anew=True)
                time.sleep(1)
            elif then in ('later', 'poll') and time.time() < held['over_at']: return held  # It still works for a while.
            elif then == 'stop' and fresh: key = next_key  # The answer that made the new key the installation's may have been lost.
            else: break
        raise Stopped(said.get('detail') or f"answer {status}: {said.get('code') or said}")

    def call(self, method, path, body=None):
        """One request of Evergrant's API below /api/v1; (status, JSON). A refused access token is renewed once."""
        for renew in (False, True):
            held = self.credentials(renew)
            token, url = held['access_token'], held['server'] + API + path
            proof = lambda nonce: Key(held['key']).proof(method, url, nonce, access_token=token)
            status, said, _ = self.ask(method, url, proof, {'Authorization': f'DPoP {token}'}, body)
            if status != 401: break
        return status, said

    def logout(self):
        with self.lock():
            held = self.load('credentials.json')
            return self.present(held['server'], '/auth/sdk/revoke', held['refresh_token'], {'refresh_token': held['refresh_token']}, Key(held['key']))
