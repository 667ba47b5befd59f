#!/bin/bash
# Workers of trap-k3m9x2pq, session 1: each job of it runs this script.
# Stop them with: trap-hpc stop /scratch/you/runs/trap-k3m9x2pq
# Without it they end by themselves, when their launcher is gone.

# Since when it runs, and for how long at most: workers leave in time.
printf -v TRAP_HPC_JOB_BEGAN '%(%s)T' -1
export TRAP_HPC_JOB_BEGAN

# From where the run was started; the profile's `environment` adds names.
export HOME=/home/you
export LANG=en_GB.UTF-8
export PATH=/home/you/venv/bin:/usr/local/bin:/usr/bin:/bin
export USER=you
export VIRTUAL_ENV=/home/you/venv

# Not what somebody else may have put there, if others can write above it.
if [ -e /scratch/you/runs/trap-k3m9x2pq/code.zip ] && [ ! -O /scratch/you/runs/trap-k3m9x2pq/code.zip ]; then
    echo '/scratch/you/runs/trap-k3m9x2pq/code.zip is not yours: nothing is run' >&2
    exit 78
fi

# Only the code of this run, one thread a worker process.
export PYTHONPATH=/scratch/you/runs/trap-k3m9x2pq/code.zip"${PYTHONPATH:+:$PYTHONPATH}"
export BLIS_NUM_THREADS=1
export HDF5_USE_FILE_LOCKING=FALSE
export MALLOC_MMAP_MAX_=0
export MALLOC_TRIM_THRESHOLD_=8589934592
export MKL_NUM_THREADS=1
export NUMEXPR_NUM_THREADS=1
export OMP_NUM_THREADS=1
export OPENBLAS_NUM_THREADS=1
export PYTHONDONTWRITEBYTECODE=1
export PYTHONNOUSERSITE=1
export PYTHONSAFEPATH=1
export VECLIB_MAXIMUM_THREADS=1

# What the scheduler calls this job.
export TRAP_HPC_JOB="${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
# Slurm's warning of the end: it would end what does not listen.
trap '' USR1
exec /home/you/venv/bin/python -P -m trap_hpc.worker /scratch/you/runs/trap-k3m9x2pq 1
