// SPDX-License-Identifier: BSL-1.0
// tus_client.mjs URL LIST IN_FLIGHT: uploads the files with tus-js-client.
import { createReadStream, readFileSync, statSync } from 'node:fs';
import { Agent } from 'node:http';
import { DefaultHttpStack, Upload } from 'tus-js-client';

const [url, list, inFlight] = process.argv.slice(2);
const files = readFileSync(list, 'utf8').trim().split('\n');
const httpStack = new DefaultHttpStack({ agent: new Agent({ keepAlive: true, maxSockets: Number(inFlight) }) });

function upload(file) {
    return new Promise((resolve, reject) => {
        new Upload(createReadStream(file), {
            endpoint: url,
            uploadSize: statSync(file).size,
            httpStack,
            metadata: { filename: file },
            onSuccess: resolve,
            onError: reject,
        }).start();
    });
}

let next = 0;
async function work() {
    while (next < files.length) {
        await upload(files[next++]);
    }
}
await Promise.all(Array.from({ length: Number(inFlight) }, work));
