#pragma once

/// The tests' subject program: one behaviour per mode, and nothing but C underneath, so that what
/// the warden sees is what the mode says. `subject MODE [WORD...] SCENARIO`; the scenario is never
/// read.

struct Mode {
  const char* name;
  /// words: those after the mode's name, ended by a null pointer; the last one is the scenario's
  /// path.
  int (*run)(char** words);
};

/// Each ends with an entry without a name.
extern const Mode kLifeModes[];      // births, deaths, threads, exec
extern const Mode kWaitModes[];      // waits that nothing can end
extern const Mode kDoubtfulModes[];  // waits that end by themselves, or by somebody outside
extern const Mode kHostileModes[];   // files, floods, bombs, stops
extern const Mode kPollModes[];      // waits that go on in wake-ups
extern const Mode kClaimModes[];     // what is written to the claims file

/// Prints what failed, with errno, and leaves with status 98.
[[noreturn]] void fail(const char* doing);
/// `value` unless it is -1, which is a failure.
long checked(long value, const char* doing);
int number(const char* word);
void sleep_ms(int milliseconds);
[[noreturn]] void wait_for_ever();
/// Runs this program again in another mode (in place of the caller).
[[noreturn]] void become(const char* mode, const char* word);
/// Waits until a process is in one of these states, as /proc/PID/stat has them.
void await_process_state(int pid, const char* states);
/// Appends one whole claim; `more` starts with a comma or is empty.
void claim(const char* kind, int sequence, const char* more);
void append_to_claims(const char* text, unsigned long size);
