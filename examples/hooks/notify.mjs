// afterTransition: the move as JSON on stdin, the workspace as working folder. A failure here is reported, and undoes
// nothing. Put your chat's webhook in place of the file.
import { appendFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';

const move = JSON.parse(await text(process.stdin));
const line = `${new Date().toISOString()} ${move.title}: ${move.from} → ${move.to} (${move.verdict}: ${move.reason})\n`;
await appendFile('moves.log', line);
