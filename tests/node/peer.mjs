// The official clients as a child process: commands come in as JSON lines, what the clients say
// goes out as JSON lines. Every command is answered with its id; everything else is news.
//
//   → {"id": 1, "do": "connect", "client": "a", "host": "127.0.0.1", "port": 6001, ...}
//   ← {"id": 1, "result": null}
//   ← {"client": "a", "from": "connection", "event": "state_change", "data": {...}}

import { createInterface } from "node:readline";
import Pusher from "pusher-js";
import PusherServer from "pusher";

const clients = new Map();
const say = (message) => process.stdout.write(JSON.stringify(message) + "\n");

function server({ appId, key, secret, host, port, masterKey }) {
  return new PusherServer({
    appId, key, secret, host, port: String(port), useTLS: false,
    ...(masterKey ? { encryptionMasterKeyBase64: masterKey } : {}),
  });
}

function connect(options) {
  const { client, host, port, key, member, user } = options;
  const sdk = server(options);
  const pusher = new Pusher(key, {
    cluster: "local", wsHost: host, wsPort: port, forceTLS: false,
    enabledTransports: ["ws"], ...options.pusher,
    channelAuthorization: {
      customHandler: ({ socketId, channelName }, callback) => {
        try {
          const answer = sdk.authorizeChannel(socketId, channelName, member);
          callback(null, options.forge ? { ...answer, auth: key + ":" + "0".repeat(64) } : answer);
        } catch (error) {
          callback(error, null);
        }
      },
    },
    userAuthentication: {
      customHandler: ({ socketId }, callback) =>
        callback(null, sdk.authenticateUser(socketId, user)),
    },
  });
  const news = (from) => (event, data) => say({ client, from, event, data: data ?? null });
  pusher.connection.bind_global(news("connection"));
  pusher.user.bind_global(news("user"));
  pusher.user.watchlist.bind_global(news("watchlist"));
  clients.set(client, { pusher, news });
}

const commands = {
  connect,
  disconnect: ({ client }) => clients.get(client).pusher.disconnect(),
  reconnect: ({ client }) => clients.get(client).pusher.connect(),
  socket_id: ({ client }) => clients.get(client).pusher.connection.socket_id,
  state: ({ client }) => clients.get(client).pusher.connection.state,
  signin: ({ client }) => clients.get(client).pusher.signin(),
  subscribe({ client, channel }) {
    const { pusher, news } = clients.get(client);
    const before = pusher.channel(channel);
    const subscribed = pusher.subscribe(channel);
    if (!before) subscribed.bind_global(news(channel));
  },
  // Only listeners to one event learn who sent it.
  bind_sender({ client, channel, event }) {
    const { pusher, news } = clients.get(client);
    pusher.channel(channel).bind(event, (_, { user_id }) => news("sender")(event, user_id));
  },
  unsubscribe: ({ client, channel }) => clients.get(client).pusher.unsubscribe(channel),
  trigger: ({ client, channel, event, data }) =>
    clients.get(client).pusher.channel(channel).trigger(event, data),
  send: ({ client, event, data, channel }) =>
    clients.get(client).pusher.send_event(event, data, channel),
  members({ client, channel }) {
    const { members } = clients.get(client).pusher.channel(channel);
    return { count: members.count, members: members.members, me: members.me };
  },
  subscription_count: ({ client, channel }) =>
    clients.get(client).pusher.channel(channel).subscriptionCount,
  webhook({ headers, body, ...options }) {
    const lower = Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value]));
    const webhook = server(options).webhook({ headers: lower, rawBody: body });
    return { valid: webhook.isValid(), events: webhook.isValid() ? webhook.getEvents() : [] };
  },
  async server({ method, args, ...options }) {
    const response = await server(options)[method](...args);
    return { status: response.status, body: await response.text() };
  },
};

createInterface({ input: process.stdin }).on("line", async (line) => {
  const { id, do: command, ...options } = JSON.parse(line);
  try {
    say({ id, result: (await commands[command](options)) ?? null });
  } catch (error) {
    say({ id, error: String(error.message), status: error.status ?? null, body: error.body ?? null });
  }
}).on("close", () => process.exit(0));
