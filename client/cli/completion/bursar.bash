# Completion of bursar for bash, made by `bursar completion bash`.
# shellcheck shell=bash disable=SC2207
_bursar()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]} options='' words='' at=2

	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		COMPREPLY=($(compgen -W " check record cancel renew status cost explain account tenant tier price report stats proof replay version completion" -- "$cur"))
		return
	fi
	case $command in
	account) words="get list put set-tier override suspend unsuspend grace reset bypass" ;;
	tenant) words="get put list" ;;
	tier) words="list show put" ;;
	price) words="list show put" ;;
	report) words="month" ;;
	esac
	if [[ -n $words ]]; then
		if ((COMP_CWORD == 2)); then
			COMPREPLY=($(compgen -W "$words" -- "$cur"))
			return
		fi
		command="$command ${COMP_WORDS[2]}"
		words='' at=3
	fi
	case $command in
	"check") options=" --tenant --interface --model --input-tokens --max-output-tokens --language --id --ttl --verbose" ;;
	"record") options=" --tenant --user --id --started-at --input-tokens --output-tokens --cached-tokens --cache-write-tokens --reasoning-tokens --audio-input-tokens --audio-output-tokens --usage --provider --mode --model --interface --attempt --keep-open" ;;
	"cancel") options=" --tenant --user --id --started-at" ;;
	"renew") options=" --tenant --user --id --started-at --ttl" ;;
	"status") options=" --tenant --model" ;;
	"cost") options=" --tenant --user --input-tokens --output-tokens --cached-tokens --cache-write-tokens --reasoning-tokens --audio-input-tokens --audio-output-tokens --usage --provider --mode --at" ;;
	"explain") options=" --tenant --interface --model --input-tokens --max-output-tokens --language" ;;
	"account get") options=" --tenant --kind" ;;
	"account list") options=" --tenant --kind --tier --prefix --suspended --limit" ;;
	"account put") options=" --tenant --kind --reason --tier --team --org --time-zone --no-team --no-org" ;;
	"account set-tier") options=" --tenant --kind --reason" ;;
	"account override") options=" --tenant --kind --reason --merge --remove --clear --file" ;;
	"account suspend") options=" --tenant --kind --reason" ;;
	"account unsuspend") options=" --tenant --kind --reason" ;;
	"account grace") options=" --tenant --kind --reason --for --until --percent --off" ;;
	"account reset") options=" --tenant --kind --reason --id" ;;
	"account bypass") options=" --tenant --kind --reason" ;;
	"tenant get") options="" ;;
	"tenant put") options=" --reason --default-tier --unknown-users --unknown-model --fallback-model --language" ;;
	"tenant list") options=" --limit" ;;
	"tier list") options=" --tenant" ;;
	"tier show") options=" --tenant" ;;
	"tier put") options=" --tenant --reason --merge --file --priority --pool-concurrent --default-output-tokens --fail-policy --upgrade-to" ;;
	"price list") options=" --tenant --provider --prefix --at --limit" ;;
	"price show") options=" --tenant --account --provider --at" ;;
	"price put") options=" --tenant --account --reason --input --output --cached-input --cache-write --reasoning --audio-input --audio-output --above --mode --from --until --source --yes" ;;
	"report month") options=" --tenant --kind --month" ;;
	"stats") options=" --tenant --from --to --top" ;;
	"proof") options=" --tenant" ;;
	"replay") options=" --users --speed --in-flight --drain --tenant" ;;
	"version") options="" ;;
	"completion") options="" ;;
	esac
	case "$command $prev" in
	"record --usage") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"record --provider") words="openai anthropic google" ;;
	"record --mode") words="standard batch flex priority" ;;
	"cost --usage") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"cost --provider") words="openai anthropic google" ;;
	"cost --mode") words="standard batch flex priority" ;;
	"account get --kind") words="user team org model tenant" ;;
	"account list --kind") words="user team org model tenant" ;;
	"account put --kind") words="user team org model tenant" ;;
	"account set-tier --kind") words="user team org model tenant" ;;
	"account override --kind") words="user team org model tenant" ;;
	"account override --file") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"account suspend --kind") words="user team org model tenant" ;;
	"account unsuspend --kind") words="user team org model tenant" ;;
	"account grace --kind") words="user team org model tenant" ;;
	"account reset --kind") words="user team org model tenant" ;;
	"account bypass --kind") words="user team org model tenant" ;;
	"tenant put --unknown-users") words="admit refuse" ;;
	"tenant put --unknown-model") words="refuse fallback free" ;;
	"tier put --file") COMPREPLY=($(compgen -f -- "$cur")); return ;;
	"tier put --fail-policy") words="local open closed" ;;
	"report month --kind") words="user team org model tenant" ;;
	esac
	if [[ -n $words ]]; then
		COMPREPLY=($(compgen -W "$words" -- "$cur"))
	elif [[ $cur == -* ]]; then
		COMPREPLY=($(compgen -W "$options --addr --json --timeout --no-color --help" -- "$cur"))
	elif [[ $command == replay ]] && ((COMP_CWORD == at)); then
		COMPREPLY=($(compgen -f -- "$cur"))
	elif [[ $command == completion ]]; then
		COMPREPLY=($(compgen -W "bash zsh" -- "$cur"))
	fi
}
complete -o filenames -F _bursar bursar
