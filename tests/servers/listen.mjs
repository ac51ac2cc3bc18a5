// SPDX-License-Identifier: BSL-1.0
import http from 'node:http';

// Listens on 127.0.0.1 and tells the test on which port, in one line. PORT asks for a certain one: a
// server that is started again must be found where it was.
export function listen(handler) {
    const server = http.createServer(handler);
    server.requestTimeout = 0;  // large bodies on slow machines take their time
    server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
        process.stdout.write(`port ${server.address().port}\n`);
    });
    return server;
}
