# Completion of scep-agent's command line in bash: sub-commands, options, files.
# Install it as /usr/share/bash-completion/completions/scep-agent, or source it.

_scep_agent() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local options=
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W 'run console apply enroll' -- "$word")
        return
    fi
    case $before in
        -c) return ;;
        --board)
            mapfile -t COMPREPLY < <(compgen -W sim -- "$word"; compgen -f -- "$word")
            return ;;
        --state)
            [[ ${COMP_WORDS[1]} == run ]] || return
            mapfile -t COMPREPLY < <(compgen -d -- "$word")
            return ;;
        --config | --socket | --password-file)
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
            return ;;
    esac
    case ${COMP_WORDS[1]} in
        run) options='--board --state --config' ;;
        console) options='-c --socket' ;;
        apply) options='--merge --dry-run --socket' ;;
        enroll)
            options='--url --fingerprint --common-name --country --state --locality --organization'
            options+=' --unit --email --fqdn --ip-address --password-file --auto --root-fingerprint'
            options+=' --ra --realm --key-size --ca-id --key-usage --source-address'
            options+=' --source-interface --socket' ;;
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
