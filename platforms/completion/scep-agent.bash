# Completion of scep-agent's command line in bash: sub-commands, options, files.
# Install it as /usr/share/bash-completion/completions/scep-agent, or source it.

_scep_agent() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local options=
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W 'run console apply' -- "$word")
        return
    fi
    case $before in
        -c) return ;;
        --board)
            mapfile -t COMPREPLY < <(compgen -W sim -- "$word"; compgen -f -- "$word")
            return ;;
        --state)
            mapfile -t COMPREPLY < <(compgen -d -- "$word")
            return ;;
        --config | --socket)
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
            return ;;
    esac
    case ${COMP_WORDS[1]} in
        run) options='--board --state --config' ;;
        console) options='-c --socket' ;;
        apply) options='--dry-run --socket' ;;
    esac
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
    elif [[ ${COMP_WORDS[1]} == apply ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    else
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
    fi
}

complete -o filenames -F _scep_agent scep-agent
