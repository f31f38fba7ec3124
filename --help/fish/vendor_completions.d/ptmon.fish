# fish completion for ptmon(1), made from its table of options.

# Whether options may still come: they end at the first word that is none.
function __ptmon_before_program
    set -l words (commandline -opc)
    set -l skip 1
    for word in $words
        if test $skip = 1
            set skip 0
            continue
        end
        switch $word
            case --
                return 1
            case --attach -p --wait --only --duration --limit -o --format --units --color --top --sort --interval --max-sockets --log-format --trace --hooks --deny --allow --learn --serve --max-clients --serve-token-file --serve-cert --serve-key --connect --engine --seccomp --fast --fast-after --print-completion
                set skip 1
            case '-?*'
            case '*'
                return 1
        end
    end
end

complete -c ptmon -f -a '(__fish_complete_subcommand --attach -p --wait --only --duration --limit -o --format --units --color --top --sort --interval --max-sockets --log-format --trace --hooks --deny --allow --learn --serve --max-clients --serve-token-file --serve-cert --serve-key --connect --engine --seccomp --fast --fast-after --print-completion)'
complete -c ptmon -n __ptmon_before_program -l attach -s p -x -a '(__fish_complete_pids)' -d 'attach to running processes, their threads, their children and theirs'
complete -c ptmon -n __ptmon_before_program -l wait -x -a '(__fish_complete_command)' -d 'wait until a program of this file name (or path) is executed by anyone whom ptmon may trace, then attach'
complete -c ptmon -n __ptmon_before_program -l only -x -a '(__fish_complete_command)' -d 'count only processes whose executable\'s file name is NAME, from its execve on'
complete -c ptmon -n __ptmon_before_program -l no-follow -d 'trace threads, but no children'
complete -c ptmon -n __ptmon_before_program -l duration -x -d 'count for so long, then report'
complete -c ptmon -n __ptmon_before_program -l limit -x -d 'end the program (SIGTERM, SIGKILL two seconds later) when it has sent and received more than SIZE together, as 10MB or 1GiB, and exit with 124'
complete -c ptmon -n __ptmon_before_program -l no-io-uring -d 'let io_uring_setup fail with ENOSYS, so that programs use calls that count'
complete -c ptmon -n __ptmon_before_program -s o -r -F -d 'write the report to FILE instead of stderr'
complete -c ptmon -n __ptmon_before_program -l format -x -a 'summary json csv peers html' -d 'summary, json, csv, peers or html'
complete -c ptmon -n __ptmon_before_program -l units -x -a 'iec si raw' -d 'iec (KiB), si (kB) or raw (bytes) in a summary'
complete -c ptmon -n __ptmon_before_program -l color -x -a 'auto always never' -d 'auto (a terminal, and NO_COLOR is not set), always or never'
complete -c ptmon -n __ptmon_before_program -l quiet -s q -d 'no report on stderr'
complete -c ptmon -n __ptmon_before_program -l top -x -d 'show so many sockets, peers and connections in a summary'
complete -c ptmon -n __ptmon_before_program -l sort -x -a 'sent received calls duration' -d 'order sockets and peers by sent, received (bytes), calls or duration, the most first'
complete -c ptmon -n __ptmon_before_program -l interval -x -d 'say the totals every so many seconds'
complete -c ptmon -n __ptmon_before_program -l max-sockets -x -d 'remember N sockets'
complete -c ptmon -n __ptmon_before_program -l log -d 'write a line for each event (exec, clone, exit, socket, close, send, receive ...) to stderr or to FILE'
complete -c ptmon -n __ptmon_before_program -l log-format -x -a 'text jsonl dmesg' -d 'text (for people, the default), jsonl (ptmon.event/1) or dmesg (the lines of two kernel modules that ptmon stands in for)'
complete -c ptmon -n __ptmon_before_program -l trace -x -d 'tell enter and return of these system calls too, with their arguments'
complete -c ptmon -n __ptmon_before_program -l syslog -d 'send the events to syslog'
complete -c ptmon -n __ptmon_before_program -l hooks -r -F -d 'run the functions that FILE.py marks with @ptmon.hook around the system calls that they name (repeatable)'
complete -c ptmon -n __ptmon_before_program -l deny -x -d 'let a system call fail'
complete -c ptmon -n __ptmon_before_program -l allow -x -d 'let nobody be reached but who is named'
complete -c ptmon -n __ptmon_before_program -l learn -r -F -d 'refuse nothing, and write to FILE the rules with which --allow @FILE would not have either'
complete -c ptmon -n __ptmon_before_program -l serve -x -d 'send the events to clients (telnet, nc) that connect to this port'
complete -c ptmon -n __ptmon_before_program -l max-clients -x -d 'serve N clients at a time'
complete -c ptmon -n __ptmon_before_program -l wait-client -d 'start the program when the first client is there'
complete -c ptmon -n __ptmon_before_program -l serve-token-file -r -F -d 'ask each client for the word in FILE, as its first line'
complete -c ptmon -n __ptmon_before_program -l serve-cert -r -F -d 'serve by TLS with the certificate chain in FILE (PEM)'
complete -c ptmon -n __ptmon_before_program -l serve-key -r -F -d 'the certificate\'s key (PEM)'
complete -c ptmon -n __ptmon_before_program -l live -d 'show totals, rates, processes, connections and calls on the terminal while the program runs, its output below them'
complete -c ptmon -n __ptmon_before_program -l connect -x -d 'the same view of what another ptmon counts, that serves its events at this port (--serve'
complete -c ptmon -n __ptmon_before_program -l engine -x -a 'native reference' -d 'native (the C core) or reference (python-ptrace'
complete -c ptmon -n __ptmon_before_program -l explain -d 'tell on stderr, step by step, what a tracer does, with the man page of each step'
complete -c ptmon -n __ptmon_before_program -l explain-step -d 'as --explain, and wait for Enter at each step, on the terminal'
complete -c ptmon -n __ptmon_before_program -l seccomp -x -a 'auto on off' -d 'auto, on or off'
complete -c ptmon -n __ptmon_before_program -l fast -x -a 'auto off' -d 'auto or off'
complete -c ptmon -n __ptmon_before_program -l fast-after -x -d 'so many stops of a process before its calls are counted inside of it'
complete -c ptmon -n __ptmon_before_program -l fast-explain -d 'tell at the end, on stderr, which instructions of the program make system calls, which of them were replaced to count inside, and why others were not'
complete -c ptmon -n __ptmon_before_program -l demo -d 'trace a small built-in server with five clients, its events and its report'
complete -c ptmon -n __ptmon_before_program -l doctor -d 'try what ptmon needs, and say what works here, what does not, why, and what to do'
complete -c ptmon -n __ptmon_before_program -l print-completion -x -a 'bash zsh fish' -d 'print the completion for bash, zsh or fish'
complete -c ptmon -n __ptmon_before_program -l version -s V -d 'print the version'
complete -c ptmon -n __ptmon_before_program -l help -s h -d 'print this help'
