// `node --import` of this: the process drains when the stack that started it is gone, however that went. Its standard input is the stack's
// end of a pipe, which the system closes.
const drain = () => process.kill(process.pid, 'SIGTERM');
process.stdin.once('close', drain).on('error', () => {});
process.stdin.resume();
process.stdin.unref();
