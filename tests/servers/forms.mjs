// SPDX-License-Identifier: BSL-1.0
// Receives multipart forms with the parser named in the path (/busboy, /multer, /formidable) and keeps of
// every part what a test wants to know. One line of JSON for each form goes to the file $LOG before the
// answer leaves. Nothing is kept of the files but length and SHA-256.
import busboy from 'busboy';
import formidable from 'formidable';
import multer from 'multer';
import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { Writable } from 'node:stream';

import { listen } from './listen.mjs';

const largest = Number(process.env.LARGEST ?? Infinity);

// A sink that counts and hashes. HASH=no leaves the hash out, for bodies of many GiB.
function digest() {
    const hash = process.env.HASH === 'no' ? null : createHash('sha256');
    const sink = new Writable({
        write(chunk, _encoding, done) {
            sink.size += chunk.length;
            hash?.update(chunk);
            done();
        },
        final(done) {
            sink.sha256 = hash?.digest('hex') ?? '';
            done();
        },
    });
    sink.size = 0;
    return sink;
}

const parsers = {
    busboy(request, done) {
        const form = { fields: [], files: [] };
        const parser = busboy({ headers: request.headers, defParamCharset: 'utf8', limits: { fileSize: largest } });
        let tooLarge = false;
        parser.on('field', (name, value) => form.fields.push([name, value]));
        parser.on('file', (field, stream, info) => {
            const sink = digest();
            const file = { field, name: info.filename, type: info.mimeType };
            form.files.push(file);
            stream.on('limit', () => { tooLarge = true; });
            stream.pipe(sink).on('finish', () => Object.assign(file, { size: sink.size, sha256: sink.sha256 }));
        });
        parser.on('error', (error) => done(error));
        parser.on('close', () => done(tooLarge ? Object.assign(new Error('too large'), { status: 413 }) : null, form));
        request.pipe(parser);
    },

    multer(request, done) {
        const storage = {
            _handleFile(_request, file, stored) {
                const sink = digest();
                file.stream.pipe(sink).on('finish', () => stored(null, { size: sink.size, sha256: sink.sha256 }));
            },
            _removeFile(_request, _file, removed) { removed(null); },
        };
        const parse = multer({ storage, defParamCharset: 'utf8', limits: { fileSize: largest } }).any();
        parse(request, {}, (error) => {
            if (error) {
                done(Object.assign(error, { status: error.code === 'LIMIT_FILE_SIZE' ? 413 : 400 }));
                return;
            }
            done(null, {
                fields: Object.entries(request.body ?? {}).flatMap(([name, value]) => [value].flat().map((v) => [name, v])),
                files: request.files.map((f) => ({
                    field: f.fieldname, name: f.originalname, type: f.mimetype, size: f.size, sha256: f.sha256,
                })),
            });
        });
    },

    formidable(request, done) {
        const sinks = new Map();
        const form = formidable({
            allowEmptyFiles: true,
            minFileSize: 0,
            maxFileSize: largest,
            maxTotalFileSize: Infinity,
            fileWriteStreamHandler(file) {
                const sink = digest();
                sinks.set(file, sink);
                return sink;
            },
        });
        form.parse(request, (error, fields, files) => {
            if (error) {
                done(Object.assign(error, { status: error.httpCode }));
                return;
            }
            done(null, {
                fields: Object.entries(fields).flatMap(([name, values]) => values.map((v) => [name, v])),
                files: Object.entries(files).flatMap(([field, all]) => all.map((f) => ({
                    field, name: f.originalFilename, type: f.mimetype, size: f.size, sha256: sinks.get(f)?.sha256 ?? '',
                }))),
            });
        });
    },
};

listen((request, response) => {
    const parse = parsers[request.url.slice(1)];
    if (request.method !== 'POST' || !parse) {
        response.writeHead(404).end('no such parser\n');
        return;
    }
    parse(request, (error, form) => {
        if (error) {
            response.writeHead(error.status ?? 400).end(`${error.message}\n`);
            return;
        }
        const key = request.headers['idempotency-key'] ?? '';
        appendFileSync(process.env.LOG, `${JSON.stringify({ ...form, key })}\n`);
        response.writeHead(200).end('received\n');
    });
});
