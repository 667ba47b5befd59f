#!/bin/bash
# Workers of trap-k3m9x2pq, session 1: each job of it runs this script.
# Stop them with: trap-hpc stop /scratch/you/runs/trap-k3m9x2pq
# Without it they end by themselves, when their launcher is gone.

# What login shells know, such as `module`.
. /etc/profile

# From where the run was started; the profile's `environment` adds names.
export HOME=/home/you
export LANG=en_GB.UTF-8
export PATH=/home/you/venv/bin:/usr/local/bin:/usr/bin:/bin
export PYTHONPATH=/opt/stack
export USER=you
export VIRTUAL_ENV=/home/you/venv

# From the site's profile.
module purge
module load "python/3.11"

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
export PYTHONSAFEPATH=1
export VECLIB_MAXIMUM_THREADS=1

# What the scheduler calls this job.
export TRAP_HPC_JOB="${SLURM_JOB_ID}.${SLURM_STEP_ID}"
# Slurm's warning of the end: it would end what does not listen.
trap '' USR1
exec python3 -P -m trap_hpc.worker /scratch/you/runs/trap-k3m9x2pq 1
